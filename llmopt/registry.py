"""Problems and solvers by name, through entry points, so that any installed package adds its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import EntryPoints, entry_points
from typing import Any, Literal

from llmopt.errors import InvalidInput
from llmopt.llm.base import LLM
from llmopt.problem import Problem
from llmopt.settings import build, parameters_of, parse_pairs, unknown_name
from llmopt.solver import Solver

Group = Literal["llmopt.problems", "llmopt.solvers", "llmopt.models", "llmopt.suites"]


@cache
def _on_path(group: Group, path: tuple[str, ...]) -> EntryPoints:
    # To look takes tens of milliseconds, and finds the same while the path is the same.
    return entry_points(group=group)


def _points(group: Group) -> EntryPoints:
    return _on_path(group, tuple(sys.path))


def names(group: Group) -> list[str]:
    """Return the registered names of a group, sorted."""
    return sorted(_points(group).names)


def load(group: Group, name: str) -> Any:
    """Return the registered class or function; this is what imports the libraries that it needs.

    Raises
    ------
    InvalidInput
        There is no such name.
    """
    return _loaded(group, name, tuple(sys.path))


@cache
def _loaded(group: Group, name: str, path: tuple[str, ...]) -> Any:
    found = _on_path(group, path).select(name=name)
    if not found:
        raise unknown_name(group.removeprefix("llmopt.").rstrip("s"), name, names(group))
    return next(iter(found)).load()


def create_problem(
    name: str,
    settings: Mapping[str, str] | None = None,
    *,
    instance: int = 0,
    open_model: Callable[[str], LLM] | None = None,
) -> Problem:
    """Build a problem from its name and settings as text.

    Parameters
    ----------
    name
        A name in the entry-point group ``llmopt.problems``.
    settings
        Settings as text; ``instance`` among them wins over the argument.
    instance
        Which of the problem's instances, where it has several.
    open_model
        Returns the model of a SPEC, for a problem that asks one; None: the problem opens it itself.
    """
    settings = dict(settings or {})
    factory = load("llmopt.problems", name)
    given: dict[str, Any] = {}
    if "instance" in parameters_of(factory):
        # As text, so that it is among the settings that an error names.
        settings.setdefault("instance", str(instance))
    if open_model is not None:
        given["open_model"] = open_model
    problem = build(factory, f"problem {name}", settings, **given)
    if not isinstance(problem, Problem):
        raise InvalidInput(f"problem {name}: the entry point gives {problem!r}, which is not a Problem")
    return problem


def create_solver(text: str, **given: Any) -> Solver:
    """Build a solver from ``NAME`` or ``NAME:key=value:key=value``.

    Parameters
    ----------
    text
        A name in the entry-point group ``llmopt.solvers`` and its settings.
    given
        Arguments passed on where the solver takes them, such as ``llm`` and ``hint``; settings written in the
        text win.
    """
    name, *pairs = text.split(":")
    settings = parse_pairs(pairs, f"solver {name}")
    factory = load("llmopt.solvers", name)
    given = {key: value for key, value in given.items() if key not in settings}
    solver = build(factory, f"solver {name}", settings, **given)
    if not isinstance(solver, Solver):
        raise InvalidInput(f"solver {name}: the entry point gives {solver!r}, which is not a Solver")
    return solver


def asks_model(problem: str) -> bool:
    """Return whether a problem, by its registered name, asks a language model: it takes what opens one."""
    return "open_model" in parameters_of(load("llmopt.problems", problem))


def needs_model(text: str) -> bool:
    """Return whether a solver, named as for :func:`create_solver`, takes a language model."""
    return takes(text, "llm")


def takes(text: str, name: str) -> bool:
    """Return whether a solver, named as for :func:`create_solver`, has an argument of a name."""
    return name in parameters_of(load("llmopt.solvers", text.split(":")[0]))
