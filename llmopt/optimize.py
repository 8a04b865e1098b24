"""``minimize`` and ``maximize``: the Python surface."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from llmopt.bounds import as_array, named_earlier, named_points, space_of
from llmopt.budget import Budget
from llmopt.errors import InvalidInput
from llmopt.llm.base import LLM
from llmopt.llm.prices import Price
from llmopt.llm.terms import Terms
from llmopt.objective import Objective, Stopped
from llmopt.problem import Direction, FunctionProblem, Optimum, Problem
from llmopt.racing import Race
from llmopt.result import OptimizeResult
from llmopt.run import DEFAULT_RACE, run, so_far
from llmopt.runlog import RunLog, Slot
from llmopt.solver import Solver
from llmopt.space import Space


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
    max_scorer_calls: int | None = None,
    seed: int = 0,
    starts: Sequence[Any] | None = None,
    earlier: Sequence[tuple[Any, float]] = (),
    target: float | None = None,
    description: str | None = None,
    hint: str = "",
    vectorized: bool = False,
    noisy: bool = False,
    raise_failures: bool = False,
    callback: Callable[..., Any] | None = None,
    on_step: Callable[[Objective], None] | None = None,
    prices: Mapping[str, Price] | None = None,
    cache: str | Path | None = "auto",
    log: str | Path | None = None,
    workers: int | Executor | None = None,
    race: Race | None = DEFAULT_RACE,
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
    max_evaluations, max_steps, max_seconds, max_tokens, max_cost, max_calls, max_scorer_calls
        The budget; None is without limit. Tokens, dollars and calls are those of language models; the last is for
        problems whose score is a mean over items. See :class:`llmopt.budget.Budget`.
    seed
        The run is a function of the arguments, this seed and the model's replies.
    starts
        Start points, evaluated first; five random ones by default.
    earlier
        What is known already, as pairs of a solution and its score (NaN: it failed): recorded first without a call of
        ``fun``, and charged. There are then no start points but those that are given.
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
    callback
        As in SciPy: called after every step with ``intermediate_result=``, the result so far, where it has a parameter
        of that name, and else with the best solution so far; ends the run by raising ``StopIteration``.
    on_step
        Called with the objective after every step.
    prices
        Prices of models that go before the known ones, see :func:`llmopt.llm.prices.load`.
    cache
        The file of model replies, which makes a repeated run free; None for none; ``"auto"``: a file that the
        user's runs share, for models that cost money.
    log
        A folder in which every evaluation and every model reply is kept. Called again with the same arguments, the run
        goes on where its log ends; see also :func:`resume`.
    workers
        Evaluate so many solutions of a step at the same time, in threads; or an executor of ``concurrent.futures``.
    race
        On a problem whose score is a mean over items: when scoring a candidate ends early; None: never.

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
    return optimize("minimize", **locals())


def maximize(fun: Callable[..., Any] | Problem, space: Space[Any] | None = None, **options: Any) -> OptimizeResult:
    """Find the solution with the largest score; takes and returns what :func:`minimize` does.

    Scores, ``target`` and ``result.fun`` keep the user's own sign.
    """
    arguments = {**(minimize.__kwdefaults__ or {}), **options}
    if unknown := set(options) - set(minimize.__kwdefaults__ or {}):
        raise TypeError(f"maximize() got an unexpected keyword argument {sorted(unknown)[0]!r}")
    return optimize("maximize", fun, space, **arguments)


def optimize(
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
    max_scorer_calls: int | None,
    seed: int,
    starts: Sequence[Any] | None,
    earlier: Sequence[tuple[Any, float]],
    target: float | None,
    description: str | None,
    hint: str,
    vectorized: bool,
    noisy: bool,
    raise_failures: bool,
    callback: Callable[..., Any] | None,
    on_step: Callable[[Objective], None] | None,
    prices: Mapping[str, Price] | None,
    cache: str | Path | None,
    log: str | Path | None,
    workers: int | Executor | None,
    race: Race | None,
    fork: bool = False,
    force: bool = False,
) -> OptimizeResult:
    """Do what :func:`minimize` and :func:`maximize` say; ``fork`` and ``force`` are those of ``resume``."""
    budget = Budget(max_evaluations, max_steps, max_seconds, max_tokens, max_cost, max_calls, max_scorer_calls)
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
    shown = _shown if bounds is None else as_array
    if bounds is not None:
        names = list(problem.space.variables)  # type: ignore[attr-defined]
        starts = None if starts is None else named_points(names, "starts", starts)
        earlier = named_earlier(names, earlier)
    asked = {
        "solver": solver if isinstance(solver, str) else None,
        "llm": llm if isinstance(llm, str) else None,
        "hint": hint,
        "description": description,
        "vectorized": vectorized,
        "bounds": bounds is not None,
    }
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
            earlier=earlier,
            target=target,
            on_step=on_step if callback is None else _calling(callback, on_step, shown),
            raise_failures=raise_failures,
            terms=Terms(prices or {}, cache),
            log=None if log is None else Slot(stack.enter_context(RunLog(log)), asked=asked, fork=fork, force=force),
            workers=workers,
            race=race,
        )
    return shown(result)


def _shown(result: OptimizeResult) -> OptimizeResult:
    return result


def _calling(
    callback: Callable[..., Any],
    on_step: Callable[[Objective], None] | None,
    shown: Callable[[OptimizeResult], OptimizeResult],
) -> Callable[[Objective], None]:
    """Return what calls a callback after a step, as SciPy does."""
    named = "intermediate_result" in inspect.signature(callback).parameters

    def step(objective: Objective) -> None:
        if on_step is not None:
            on_step(objective)
        result = shown(so_far(objective))
        try:
            if named:
                callback(intermediate_result=result)
            else:
                callback(result.x)
        except StopIteration:
            raise Stopped("callback") from None

    return step


def _space(space: Space[Any] | None, bounds: Sequence[tuple[float, float]] | None) -> Space[Any]:
    if (space is None) == (bounds is None):
        raise InvalidInput("give either a space, such as Vector(x=Float(0, 1)), or bounds, such as [(0, 1)]")
    if space is not None:
        return space
    assert bounds is not None
    return space_of(bounds)


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
