"""``minimize`` and ``maximize``: the Python surface."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from llmopt.errors import InvalidInput
from llmopt.llm.base import LLM
from llmopt.llm.prices import Price
from llmopt.llm.terms import Terms
from llmopt.objective import Budget, Objective
from llmopt.problem import Direction, FunctionProblem, Optimum, Problem
from llmopt.result import OptimizeResult
from llmopt.run import run
from llmopt.solver import Solver
from llmopt.space import Float, Space, Vector


def minimize(
    fun: Callable[..., Any] | Problem,
    space: Space[Any] | None = None,
    *,
    bounds: Sequence[tuple[float, float]] | None = None,
    solver: str | Solver = "opro",
    llm: str | LLM = "local",
    max_evaluations: int | None = 100,
    max_steps: int | None = None,
    max_seconds: float | None = None,
    max_tokens: int | None = None,
    max_cost: float | None = None,
    max_calls: int | None = None,
    seed: int = 0,
    starts: Sequence[Any] | None = None,
    target: float | None = None,
    description: str | None = None,
    hint: str = "",
    vectorized: bool = False,
    noisy: bool = False,
    raise_failures: bool = False,
    on_step: Callable[[Objective], None] | None = None,
    prices: Mapping[str, Price] | None = None,
    cache: str | Path | None = "auto",
) -> OptimizeResult:
    """Find the solution with the smallest score.

    Parameters
    ----------
    fun
        A function of a solution, called as the space has it: with a dict from name to value for a
        ``Vector``, a 1-D array for a ``Permutation``, a str for a ``Text``; or a :class:`Problem`, which brings
        its own space and direction.
    space
        The legal solutions.
    bounds
        In place of a space, as in SciPy: (low, high) for each entry of the 1-D array that ``fun`` is called
        with and that ``result.x`` is.
    solver
        A name, with settings as in ``"tpe:batch=8"``, or a solver.
    llm
        The model of solvers that use one: a SPEC such as ``"local"``, or a model.
    max_evaluations, max_steps, max_seconds, max_tokens, max_cost, max_calls
        The budget; None is without limit. The last three are for language models: tokens, dollars, calls. See
        :class:`llmopt.objective.Budget`.
    seed
        The run is a function of the arguments, this seed and the model's replies.
    starts
        Start points, evaluated first; five random ones by default.
    target
        A score that ends the run.
    description
        What the function is, in words; a chat model reads it.
    hint
        What is known of good solutions, in words; every model reads it.
    vectorized
        ``fun`` scores a whole step at once, see :class:`llmopt.problem.FunctionProblem`.
    noisy
        Two calls with the same solution may differ; then every call is an evaluation.
    raise_failures
        Let exceptions of ``fun`` through. By default a failed evaluation is recorded and the run goes on.
    on_step
        Called with the objective after every step.
    prices
        Prices of models that go before the known ones, see :func:`llmopt.llm.prices.load`.
    cache
        The file of model replies, which makes a repeated run free; None for none; ``"auto"``: a file that the
        user's runs share, for models that cost money.

    Returns
    -------
    OptimizeResult
        ``x``, ``fun``, ``nfev``, ``nit``, ``success``, ``message``, ``history`` and more.

    Raises
    ------
    InvalidInput
        An argument is not legal; nothing was evaluated.

    Examples
    --------
    >>> from llmopt import Int, Vector, minimize
    >>> space = Vector(w=Int(-20, 20), b=Int(-20, 20))
    >>> result = minimize(lambda s: (s["w"] - 3) ** 2 + (s["b"] + 4) ** 2, space, solver="exhaustive",
    ...                   max_evaluations=2000)
    >>> result.x, result.fun
    ({'w': 3, 'b': -4}, 0.0)
    """
    return _optimize("minimize", **locals())


def maximize(fun: Callable[..., Any] | Problem, space: Space[Any] | None = None, **options: Any) -> OptimizeResult:
    """Find the solution with the largest score; takes and returns what :func:`minimize` does.

    Scores, ``target`` and ``result.fun`` keep the user's own sign.
    """
    arguments = {**(minimize.__kwdefaults__ or {}), **options}
    if unknown := set(options) - set(minimize.__kwdefaults__ or {}):
        raise TypeError(f"maximize() got an unexpected keyword argument {sorted(unknown)[0]!r}")
    return _optimize("maximize", fun, space, **arguments)


def _optimize(
    direction: Direction,
    fun: Callable[..., Any] | Problem,
    space: Space[Any] | None,
    *,
    bounds: Sequence[tuple[float, float]] | None,
    solver: str | Solver,
    llm: str | LLM,
    max_evaluations: int | None,
    max_steps: int | None,
    max_seconds: float | None,
    max_tokens: int | None,
    max_cost: float | None,
    max_calls: int | None,
    seed: int,
    starts: Sequence[Any] | None,
    target: float | None,
    description: str | None,
    hint: str,
    vectorized: bool,
    noisy: bool,
    raise_failures: bool,
    on_step: Callable[[Objective], None] | None,
    prices: Mapping[str, Price] | None,
    cache: str | Path | None,
) -> OptimizeResult:
    budget = Budget(max_evaluations, max_steps, max_seconds, max_tokens, max_cost, max_calls)
    if isinstance(fun, Problem):
        problem = fun
        if space is not None or bounds is not None:
            raise InvalidInput("a Problem brings its own space; leave space and bounds out")
        if problem.direction != direction:
            raise InvalidInput(f"the problem's direction is {problem.direction!r}; call llmopt.{problem.direction}")
        if description is not None or vectorized or noisy:
            raise InvalidInput("a Problem says itself what description, vectorized and noisy say; leave them out")
    else:
        problem = FunctionProblem(
            fun,
            _space(space, bounds),
            direction,
            noisy=noisy,
            optimum=None if target is None else Optimum(target),
            description=description,
            vectorized=vectorized,
            as_array=bounds is not None,
        )
    if bounds is not None and starts is not None:
        starts = _named_starts(list(problem.space.variables), starts)  # type: ignore[attr-defined]
    with ExitStack() as stack:
        if hint and not isinstance(solver, str):
            raise InvalidInput("hint goes to a solver named by text; give a solver object its own hint")
        if isinstance(solver, str):
            solver = _named_solver(solver, llm, hint, stack)
        result = run(
            problem,
            solver,
            budget,
            seed=seed,
            starts=starts,
            target=target,
            on_step=on_step,
            raise_failures=raise_failures,
            terms=Terms(prices or {}, cache),
        )
    if bounds is not None and result.x is not None:
        result = dataclasses.replace(result, x=np.array(list(result.x.values())))
    return result


def _named_starts(names: list[str], starts: Sequence[Any]) -> list[dict[str, float]]:
    try:
        return [dict(zip(names, map(float, x), strict=True)) for x in starts]
    except (TypeError, ValueError):
        raise InvalidInput(f"starts must be a list of points of {len(names)} numbers each, not {starts!r}") from None


def _space(space: Space[Any] | None, bounds: Sequence[tuple[float, float]] | None) -> Space[Any]:
    if (space is None) == (bounds is None):
        raise InvalidInput("give either a space, such as Vector(x=Float(0, 1)), or bounds, such as [(0, 1)]")
    if space is not None:
        return space
    assert bounds is not None
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):  # scipy.optimize.Bounds
        bounds = list(zip(bounds.lb, bounds.ub, strict=True))
    try:
        pairs = [(float(low), float(high)) for low, high in bounds]
    except (TypeError, ValueError):
        raise InvalidInput(f"bounds must be a list of (low, high) pairs, not {bounds!r}") from None
    return Vector({f"x{i}": Float(low, high) for i, (low, high) in enumerate(pairs)})


def _named_solver(text: str, llm: str | LLM, hint: str, stack: ExitStack) -> Solver:
    # Imported late: entry points and model code are not needed for an object that is handed in.
    from llmopt.registry import create_solver, needs_model

    if not needs_model(text):
        if hint:
            raise InvalidInput(f"only a solver with a language model reads a hint, and {text!r} has none")
        return create_solver(text)
    if isinstance(llm, str):
        from llmopt.llm import connect

        llm = stack.enter_context(connect(llm))
    return create_solver(text, llm=llm, hint=hint)


maximize.__signature__ = inspect.signature(minimize)  # type: ignore[attr-defined]  # what help() and editors show
