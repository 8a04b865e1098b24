"""What a run is a run of: enough to tell whether a log is that of the run at hand, and how they differ."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from types import CodeType
from typing import TYPE_CHECKING, Any

from llmopt.llm.base import LLM
from llmopt.problem import FunctionProblem, Problem
from llmopt.racing import Race
from llmopt.space.plain import to_plain

if TYPE_CHECKING:
    from llmopt.budget import Budget
    from llmopt.solver import Solver

_PACKAGES = ("llmopt", "numpy", "scipy", "optuna", "cmaes", "openai", "anthropic", "xllamacpp", "matplotlib")
_ALWAYS_MATTER = ("llmopt", "numpy")

Identity = dict[str, Any]


def identify(
    problem: Problem,
    solver: Solver,
    budget: Budget,
    seed: int,
    *,
    starts: Sequence[Any] | None,
    target: float | None,
    asked: Mapping[str, Any],
    race: Race | None = None,
    earlier: Sequence[tuple[Any, float]] = (),
) -> Identity:
    """Return the identity of a run, as JSON has it.

    Parameters
    ----------
    problem, solver, budget, seed, starts, target, race, earlier
        The arguments of :func:`llmopt.run.run`.
    asked
        What the user typed: the names and settings from which these were built.
    """
    optimum = problem.optimum
    models = {
        role: {
            "spec": llm.info.spec,
            "details": dict(sorted(llm.info.details.items())),
            # Without what a log cannot keep, see :class:`llmopt.runlog.replies.Logged`.
            "capabilities": {name: able for name, able in asdict(llm.capabilities).items() if name != "logprobs"},
        }
        for role, llm in solver.models.items()
    }
    identity = {
        "asked": dict(asked),
        "problem": {
            "class": _name(type(problem)),
            "space": to_plain(problem.space),
            "direction": problem.direction,
            "noisy": problem.noisy,
            "description": problem.describe(),
            "optimum": None if optimum is None else [optimum.score, optimum.tolerance],
            "data": dict(problem.identity()),
            "code": _code_of(problem),
        },
        "solver": {"class": _name(type(solver)), "settings": _settings(solver), "packages": sorted(solver.packages)},
        "models": models,
        "seed": seed,
        "starts": None if starts is None else problem.space.rows_to_json(problem.space.pack(starts)),
        "earlier": None if not earlier else _earlier(problem, earlier),
        "target": target,
        "race": None if race is None else asdict(race),
        "budget": asdict(budget),
        "versions": versions(),
    }
    plain: Identity = json.loads(json.dumps(_finite(identity), default=str))
    return plain


def _earlier(problem: Problem, earlier: Sequence[tuple[Any, float]]) -> list[list[Any]]:
    solutions = problem.space.rows_to_json(problem.space.pack([solution for solution, _ in earlier]))
    return [[solution, float(score)] for solution, (_, score) in zip(solutions, earlier, strict=True)]


def absent(asked: Mapping[str, Any], seed: int, budget: Budget) -> Identity:
    """Return the identity of a run that did not come about, since its problem or its solver could not be built."""
    problem = {"class": None, "space": None, "direction": "minimize", "noisy": False, "optimum": None}
    return {
        "asked": dict(asked),
        "problem": problem,
        "solver": {"class": None, "settings": {}, "packages": []},
        "models": {},
        "seed": seed,
        "starts": None,
        "target": None,
        "race": None,
        "budget": asdict(budget),
        "versions": versions(),
    }


def is_absent(identity: Identity | Mapping[str, Any]) -> bool:
    """Return whether an identity is that of a run that did not come about."""
    return identity["problem"]["class"] is None


@cache
def versions() -> Mapping[str, str]:
    """Return the versions of Python and of the packages on which runs depend, where they are installed."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


@cache
def machine() -> Mapping[str, Any]:
    """Return a summary of this machine; nothing in it names a person or a place."""
    import psutil

    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
    }


def differences(logged: Mapping[str, Any], new: Identity) -> tuple[list[str], list[str]]:
    """Say how a run differs from the logged one.

    Returns
    -------
    other, doubtful
        Differences that make it another run; and those under which it may still be the same: versions of packages,
        which show where the replay diverges, and changed code, of which only the user knows what it computes.
    """
    other: list[str] = []
    doubtful: list[str] = []
    for part in ("problem", "solver", "models", "seed", "starts", "earlier", "target", "race"):
        for path, old, now in _changes(logged.get(part), new.get(part), part):
            (doubtful if path.startswith("problem.code") else other).append(_sentence(path, old, now))
    for package in [*_ALWAYS_MATTER, *new["solver"]["packages"]]:
        old, now = logged["versions"].get(package), new["versions"].get(package)
        if old != now:
            doubtful.append(_sentence(f"version of {package}", old, now))
    return other, doubtful


def _changes(old: Any, new: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            yield from _changes(old.get(name), new.get(name), f"{path}.{name}")
    elif old != new:
        yield path, old, new


def _sentence(path: str, old: Any, new: Any) -> str:
    return f"{path} was {_short(old)} and is {_short(new)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 80 else f"{text[:60]}... ({hashlib.sha256(text.encode()).hexdigest()[:8]})"


def _name(kind: type[Any]) -> str:
    # A user's module is called __main__ when it is run, and by its name when it is imported.
    own = kind.__module__.startswith("llmopt.")
    return f"{kind.__module__}.{kind.__qualname__}" if own else kind.__qualname__


def _settings(solver: Solver) -> dict[str, Any]:
    """Return the settings of a solver: the arguments that its class takes and keeps, objects by their class."""
    values = {name: getattr(solver, name) for name in _arguments(type(solver)) if hasattr(solver, name)}
    return {
        name: value if isinstance(value, str | int | float | bool | None) else _name(type(value))
        for name, value in values.items()
        if not isinstance(value, LLM)
    }


@cache
def _arguments(kind: type[Solver]) -> list[str]:
    """Return the names of all arguments that a class and its bases take, sorted."""
    kinds = (base for base in kind.__mro__ if "__init__" in vars(base))
    return sorted({name for base in kinds for name in inspect.signature(base).parameters})


def _code_of(problem: Problem) -> str | None:
    """Return a fingerprint of the user's own function; the code of this package has a version."""
    if isinstance(problem, FunctionProblem):
        return fingerprint(problem.fun)
    own = type(problem).__module__.startswith("llmopt.")
    # On a problem with items, this is the user's part of an evaluation.
    scores = getattr(type(problem), "score_items", type(problem).evaluate)
    return None if own else fingerprint(scores)


def fingerprint(function: Any) -> str | None:
    """Return the name of a function and a checksum of its compiled code; None for what has no code of its own.

    Comments and layout do not count. Python versions compile differently, and then it differs too.
    """
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        return None
    return f"{function.__qualname__} {code_checksum(code)}"


def code_checksum(code: CodeType) -> str:
    """Return a checksum of compiled code, with that of the functions in it."""
    return hashlib.sha256(repr(_compiled(code)).encode()).hexdigest()[:16]


def _compiled(code: CodeType) -> tuple[Any, ...]:
    return code.co_code.hex(), code.co_names, tuple(_constant(c) for c in code.co_consts)


def _constant(value: Any) -> Any:
    if isinstance(value, CodeType):
        return _compiled(value)
    # The order of a set of texts differs from process to process.
    return sorted(map(repr, value)) if isinstance(value, frozenset) else repr(value)


def _finite(value: Any) -> Any:
    """Replace what JSON cannot write: infinity and NaN become texts."""
    # Most values are texts, and every benchmark's run has hundreds.
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
