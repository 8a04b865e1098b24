"""``resume``: a run of ``minimize`` or ``maximize`` goes on where its log ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from llmopt.budget import limits
from llmopt.errors import InvalidInput
from llmopt.llm.base import LLM
from llmopt.llm.prices import Price
from llmopt.objective import Objective
from llmopt.optimize import optimize
from llmopt.problem import Problem
from llmopt.racing import Race
from llmopt.result import OptimizeResult
from llmopt.run import DEFAULT_RACE
from llmopt.runlog import LogReader
from llmopt.solver import Solver
from llmopt.space import Space


def resume(
    log: str | Path,
    fun: Callable[..., Any] | Problem,
    *,
    solver: Solver | None = None,
    llm: LLM | None = None,
    space: Space[Any] | None = None,
    max_evaluations: int | None = None,
    max_steps: int | None = None,
    max_seconds: float | None = None,
    max_tokens: int | None = None,
    max_cost: float | None = None,
    max_calls: int | None = None,
    max_scorer_calls: int | None = None,
    raise_failures: bool = False,
    callback: Callable[..., Any] | None = None,
    on_step: Callable[[Objective], None] | None = None,
    prices: Mapping[str, Price] | None = None,
    cache: str | Path | None = "auto",
    workers: int | Executor | None = None,
    race: Race | None = DEFAULT_RACE,
    fork: bool = False,
    force: bool = False,
) -> OptimizeResult:
    """Go on with a run of :func:`minimize` or :func:`maximize` that was interrupted, or give one more budget.

    Parameters
    ----------
    log
        The run's folder.
    fun
        The function, or the problem; a log holds no code.
    solver, llm, space
        What the run was given as an object of its own, in place of a name.
    max_evaluations, max_steps, max_seconds, max_tokens, max_cost, max_calls, max_scorer_calls
        The budget of the whole run, where it is to be another one.
    raise_failures, callback, on_step, prices, cache, workers, race
        As for :func:`minimize`.
    fork
        Begin a new run that is told what the logged one evaluated, such as after a change of the code.
    force
        Go on although the version of a package, or the function's code, has changed.

    Returns
    -------
    OptimizeResult
        Of the whole run.

    Raises
    ------
    InvalidInput
        The folder holds no such run, or it was another one; nothing was evaluated.
    ReplayDiverged
        The run proposes something else than its log holds; nothing was evaluated.

    Examples
    --------
    >>> import tempfile
    >>> from llmopt import Int, Vector, minimize, resume
    >>> def square(s):
    ...     return s["x"] ** 2
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = minimize(square, Vector(x=Int(1, 1000)), solver="random", max_evaluations=20, log=folder)
    ...     more = resume(folder, square, max_evaluations=100)
    >>> first.nfev, more.nfev, more.history.losses[:20].tolist() == first.history.losses.tolist()
    (20, 100, True)
    """
    with LogReader(log) as reader:
        runs = [run for run in reader.runs() if "bounds" in run.identity["asked"]]
    if not runs:
        raise InvalidInput(
            f"{log} holds no run that Python code began; for one of the command line: llmopt resume {log}"
        )
    identity = runs[-1].identity
    asked, budget = identity["asked"], dict(identity["budget"])
    budget |= limits(max_evaluations, max_steps, max_seconds, max_tokens, max_cost, max_calls, max_scorer_calls)
    is_problem = isinstance(fun, Problem)
    known = None if is_problem else space or runs[-1].space
    # The points of bounds are arrays again.
    bounds = [(v.low, v.high) for v in known.variables.values()] if asked["bounds"] else None  # type: ignore[union-attr]
    starts = identity["starts"]
    if starts is not None:
        of = fun.space if isinstance(fun, Problem) else known
        assert of is not None
        starts = [list(start.values()) for start in starts] if bounds else [of.from_json(start) for start in starts]
    # Of a log from before there were any, none.
    earlier = identity.get("earlier") or []
    if earlier:
        of = fun.space if isinstance(fun, Problem) else known
        assert of is not None
        earlier = [(list(x.values()) if bounds else of.from_json(x), float(score)) for x, score in earlier]
    for name, value in (("solver", solver), ("llm", llm)):
        if asked[name] is None and value is None:
            raise InvalidInput(f"the run in {log} was given its {name} as an object; hand it in again: {name}=...")
    return optimize(
        identity["problem"]["direction"],
        fun,
        None if bounds else known,
        bounds=bounds,
        solver=solver or asked["solver"],
        llm=llm or asked["llm"],
        **{f"max_{name}": value for name, value in budget.items()},
        seed=identity["seed"],
        starts=starts,
        earlier=earlier,
        target=identity["target"],
        description=asked["description"],
        hint=asked["hint"],
        vectorized=asked["vectorized"],
        noisy=False if is_problem else identity["problem"]["noisy"],
        raise_failures=raise_failures,
        callback=callback,
        on_step=on_step,
        prices=prices,
        cache=cache,
        log=log,
        workers=workers,
        race=race,
        fork=fork,
        force=force,
    )
