"""What all checks have in common: a property is tried on many examples, and says in few words how it fails."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import HypothesisException, Unsatisfiable
from hypothesis.strategies import SearchStrategy

_LONGEST = 400
"""Characters of a value in a message; the middle of a longer one is left out."""


class Checks(ABC):
    """The base of the classes to be inherited.

    Attributes
    ----------
    examples
        How many examples a check tries.
    hypothesis_seed
        Which examples; by default as the Hypothesis profile that is loaded says.
    """

    examples: int = 20
    hypothesis_seed: int | None = None

    @abstractmethod
    def make(self) -> Any:
        """Return what is checked, a new one at every call."""

    def for_all(self, check: Callable[..., None], **arguments: SearchStrategy[Any]) -> None:
        """Call a check with examples; where it fails, raise its message with the smallest example that was found.

        Parameters
        ----------
        check
            Raises where it finds a fault; see :func:`fault`.
        arguments
            Where its arguments come from.
        """
        __tracebackhide__ = True
        failed: tuple[Exception, Mapping[str, Any]] | None = None

        def watched(**given: Any) -> None:
            nonlocal failed
            try:
                check(**given)
            except HypothesisException:
                raise
            except Exception as error:
                failed = error, given
                raise

        try:
            self._property(watched, arguments)()
        except Unsatisfiable:
            raise AssertionError("none of the examples can be used; override what they come from") from None
        except Exception:
            # The last failure is that of the smallest example. Where a fault comes and goes there is no smallest one.
            if failed is None:
                raise
            error, example = failed
        else:
            return
        found = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
        lines = [found, *(f"    {name} = {brief(value)}" for name, value in example.items())]
        raise AssertionError("\n".join(lines)) from (None if isinstance(error, AssertionError) else error)

    def _property(self, check: Callable[..., None], arguments: Mapping[str, SearchStrategy[Any]]) -> Callable[[], None]:
        options: dict[str, Any] = {}
        if self.hypothesis_seed is not None:
            options = {"derandomize": False, "database": None}
        limited = settings(
            max_examples=self.examples,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            # To explain a failure takes long, and the message has the example alone.
            phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
            **options,
        )
        found: Callable[[], None] = limited(hypothesis.given(**arguments)(check))
        return found if self.hypothesis_seed is None else hypothesis.seed(self.hypothesis_seed)(found)


def fault(message: str) -> NoReturn:
    """Fail a check with a sentence that says what is wrong."""
    __tracebackhide__ = True
    raise AssertionError(message)


def brief(value: Any) -> str:
    """Return a value as text of bounded length.

    Examples
    --------
    >>> brief({"x": 1.5})
    "{'x': 1.5}"
    """
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 2 :]}"


def mentions(text: str, name: str) -> bool:
    """Return whether a name stands in a text as a word of its own."""
    return re.search(rf"(?<![\w.\-]){re.escape(name)}(?![\w\-])", text) is not None
