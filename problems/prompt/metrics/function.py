"""A metric of the user's own: a Python function, named by its file or module."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import math
import numbers
from collections.abc import Callable
from importlib.abc import InspectLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from llmopt.errors import InvalidInput
from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.metrics.base import Metric
from llmopt.runlog.identity import code_checksum, fingerprint
from llmopt.settings import unknown_name

_FORM = "name it as FILE.py:FUNCTION or MODULE:FUNCTION"


class FunctionMetric(Metric):
    """Scores with ``function(reply, example)``, which returns a bool or a number from 0 to 1.

    The function gets the whole reply, and any target is legal. A copy in another process loads it again.

    Parameters
    ----------
    name
        ``path/to/file.py:function`` or ``module:function``. The file or module is run.

    Raises
    ------
    InvalidInput
        The name has another form, or what it names is missing, cannot be loaded or cannot be called so.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._function, module = _load(name)
        self._around = _code_of(module)

    def identity(self) -> str:
        """Return the function's name, a checksum of its code, and one of its file or module: that holds the helpers and
        defaults which it uses. Comments and layout do not count."""
        own = fingerprint(self._function) or self._name
        return own if self._around is None else f"{own} in {code_checksum(self._around)}"

    def score(self, reply: str, example: Example) -> float:
        """Return what the function says.

        Raises
        ------
        InvalidInput
            The function raised, or returned something else than a bool or a number from 0 to 1.
        """
        try:
            score = self._function(reply, example)
        except Exception as error:
            raise InvalidInput(
                f"metric {self._name} raised {type(error).__name__}: {_short(str(error))} on {_where(example)}; "
                "return a bool or a number from 0 to 1 for every reply"
            ) from error
        legal = isinstance(score, bool | np.bool_ | numbers.Real)
        value = float(score) if legal else math.nan
        if not 0 <= value <= 1:
            raise InvalidInput(
                f"metric {self._name} returned {_short(repr(score))} on {_where(example)}; "
                "return a bool or a number from 0 to 1"
            )
        return value

    def parses(self, target: str) -> bool:
        return True

    def __reduce__(self) -> tuple[type[FunctionMetric], tuple[str]]:
        return FunctionMetric, (self._name,)


def _load(name: str) -> tuple[Callable[[str, Example], Any], ModuleType]:
    source, _, attribute = name.rpartition(":")
    if not source or not attribute:
        raise InvalidInput(f"metric {name!r} is not legal; {_FORM}")
    module = _from_file(name, Path(source)) if source.endswith(".py") else _from_module(name, source)
    functions = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
    if not hasattr(module, attribute):
        raise unknown_name(f"function of {source}", attribute, functions)
    function = getattr(module, attribute)
    if not callable(function):
        raise InvalidInput(f"metric {name}: {attribute} is not a function; {_FORM}")
    try:
        inspect.signature(function).bind("reply", Example("input", "target"))
    except TypeError as error:
        raise InvalidInput(
            f"metric {name} cannot be called as {attribute}(reply, example): {error}; give it these two parameters"
        ) from None
    except ValueError:
        # Some functions written in C have no signature; a wrong one then shows at the first reply.
        pass
    return function, module


def _code_of(module: ModuleType) -> CodeType | None:
    """Return the code of a whole module; None for one that is written in C."""
    spec = module.__spec__
    if spec is None or not isinstance(spec.loader, InspectLoader):
        return None
    return spec.loader.get_code(spec.name)


def _from_file(name: str, path: Path) -> ModuleType:
    if not path.is_file():
        raise InvalidInput(f"metric {name}: there is no file {path}; {_FORM}")
    spec = importlib.util.spec_from_file_location(f"llmopt_metric_{path.stem}", path)
    assert spec is not None and spec.loader is not None, "a file that ends in .py always has a loader"
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise _broken(name, error) from error
    return module


def _from_module(name: str, module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:
        raise _broken(name, error) from error


def _broken(name: str, error: BaseException) -> InvalidInput:
    problem = f"{type(error).__name__}: {_short(str(error))}"
    return InvalidInput(f"metric {name} cannot be loaded, {problem}; correct it, or {_FORM}")


def _where(example: Example) -> str:
    return f"the example {_short(repr(example.input))} with target {_short(repr(example.target))}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else line[:117] + "..."
