"""From what was asked for to runs, tables and files: what ``compare``, ``solve`` and ``demo`` share."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from llmopt.benchmarks.compare import Comparison, create_problems, create_solvers
from llmopt.benchmarks.execution import Run
from llmopt.benchmarks.results import SUITE
from llmopt.cli import defaults, output
from llmopt.cli.estimate import confirm
from llmopt.cli.order import META, ORDER, Order, as_json, asked, from_json
from llmopt.cli.progress import Progress, progress
from llmopt.cli.transfer import elsewhere, transferred
from llmopt.errors import InvalidInput, LogError, MissingExtra, ModelError
from llmopt.items import ItemProblem
from llmopt.llm.base import LLM, Reply, Request, Response, Take, Usage, Wrapper
from llmopt.llm.terms import Terms
from llmopt.objective import Budget
from llmopt.problem import Problem
from llmopt.problems.prompt.problem import PromptProblem
from llmopt.registry import create_solver, needs_model
from llmopt.report.folder import Folder, NotWritten
from llmopt.report.safe import one_line
from llmopt.run import DEFAULT_RACE
from llmopt.runlog import LogReader, RunLog
from llmopt.settings import parse_pairs
from llmopt.solver import Solver


def budget(
    evaluations: int | None,
    steps: int | None,
    seconds: float | None,
    tokens: int | None = None,
    cost: float | None = None,
    calls: int | None = None,
    scorer_calls: int | None = None,
) -> Budget:
    """Return the budget of the limits that were given; limits of models alone end no classical solver, and get the
    default number of evaluations besides."""
    if evaluations is None and steps is None and seconds is None and scorer_calls is None:
        evaluations = defaults.EVALUATIONS
    return Budget(evaluations, steps, seconds, tokens, cost, calls, scorer_calls)


def terms(prices: Path | None, cache: str) -> Terms:
    """Return the terms of ``--prices`` and ``--cache``."""
    from llmopt.llm.prices import load

    return Terms({} if prices is None else load(prices), None if cache == "off" else cache)


def with_files(settings: Sequence[str], **files: Path | None) -> tuple[str, ...]:
    """Return the problem's settings with those that have an option of their own."""
    return (*settings, *(f"{name}={path}" for name, path in files.items() if path is not None))


def split(texts: str) -> list[str]:
    """Return the solvers of ``a,b:key=value,c``."""
    names = [text.strip() for text in texts.split(",")]
    if not all(names):
        raise InvalidInput(f"--solvers {texts!r} is not legal; give names with commas between them, such as tpe,random")
    return names


Show = Callable[[Order, Comparison, Sequence[Run], Sequence[Mapping[str, Any]]], None]
"""Shows the outcome of a comparison, the last argument being what was transferred."""


def perform(order: Order, *, dry: bool = False, show: Show = output.show) -> int:
    """Check everything, then run, print and save; return the exit code.

    Raises
    ------
    InvalidInput, MissingExtra
        Something is not legal, or is not installed; nothing was evaluated, sent or written.
    NotWritten
        The folder could not be written on the way; what was done is printed.
    """
    if order.seed < 0:
        raise InvalidInput(f"--seed must be at least 0, not {order.seed}")
    with ExitStack() as stack:
        settings = parse_pairs(order.pairs, f"problem {order.problem}")
        open_model = _opener(stack)
        problems, instance = create_problems(order.problem, settings, order.repeats, open_model)
        settings.pop("instance", None)
        if not order.quiet:
            for notice in problems[0].notices:
                print(f"llmopt: {one_line(notice)}", file=sys.stderr)
        solvers = _suitable(order, problems[0]) if order.solvers is None else list(order.solvers)
        # What needs no model is checked before one is started.
        create_solvers([text for text in solvers if not needs_model(text)], None)
        folder = Folder(order.out, overwrite=order.overwrite) if order.out is not None and not dry else None
        llm = open_model(order.llm) if any(map(needs_model, solvers)) else None

        comparison = _comparison(order, settings, problems, instance, create_solvers(solvers, llm, order.hint))
        if dry:
            from llmopt.cli.dry import show_prompts

            return show_prompts(_unscored(order, comparison), llm, as_json=order.json)
        other = _elsewhere(order, settings, open_model)
        confirm(order, comparison)
        if folder is not None:
            folder.remove_log()
            log = stack.enter_context(RunLog(folder.path))
            if log.remark and not order.quiet:
                print(f"llmopt: {one_line(log.remark)}", file=sys.stderr)
            meta = output.meta(order, comparison, llm)
            log.set_meta(ORDER, as_json(order, solvers))
            log.set_meta(META, meta)
            folder.begin(meta)
            comparison = replace(comparison, log=log, asked=asked(order))
        return _perform(order, comparison, folder, other, show)


def resume(
    path: Path,
    limits: Mapping[str, float | None],
    *,
    prices: Path | None,
    workers: int,
    fork: bool,
    force: bool,
    json: bool,
    quiet: bool,
) -> int:
    """Go on with the comparison in a folder; return the exit code.

    Parameters
    ----------
    path
        The folder.
    limits
        Budgets by name that replace those of the comparison; None: as they were.
    prices
        See :func:`terms`.
    workers
        Evaluations of a step at the same time.
    fork, force
        See :class:`llmopt.runlog.Slot`.
    json, quiet
        How it is shown.

    Raises
    ------
    InvalidInput
        The folder holds no comparison, it was another one, or it is damaged; nothing was evaluated or written.
    """
    with LogReader(path) as reader:
        reader.check()
        stored, meta = reader.meta(ORDER), reader.meta(META)
        if stored is None and reader.meta(SUITE) is not None:
            words = shlex.join(map(str, (meta or {}).get("command", ["llmopt", "bench", "SUITE"])))
            raise InvalidInput(f"{path} holds the runs of a suite; the command that began them goes on: {words}")
        if stored is None:
            raise InvalidInput(
                f"{path} holds no comparison of the command line; a run of Python code goes on by "
                "llmopt.resume(folder, function)"
            )
    order = replace(from_json(stored, path, json=json, quiet=quiet), workers=workers)
    changed = {name: value for name, value in limits.items() if value is not None}
    order = replace(order, budget=Budget(**{**asdict(order.budget), **changed}))
    if prices is not None:
        order = replace(order, terms=replace(order.terms, prices=terms(prices, "off").prices))
    with ExitStack() as stack:
        log = stack.enter_context(RunLog(path))
        settings = parse_pairs(order.pairs, f"problem {order.problem}")
        open_model = _opener(stack)
        problems, instance = create_problems(order.problem, settings, order.repeats, open_model)
        settings.pop("instance", None)
        assert order.solvers is not None, "a log names its solvers"
        llm = open_model(order.llm) if any(map(needs_model, order.solvers)) else None
        named = create_solvers(order.solvers, llm, order.hint)
        comparison = _comparison(order, settings, problems, instance, named)
        comparison = replace(comparison, log=log, asked=asked(order), fork=fork, force=force)
        folder = Folder(path, log=log)
        folder.begin(meta)
        return _perform(order, comparison, folder, _elsewhere(order, settings, open_model))


def _comparison(
    order: Order,
    settings: Mapping[str, str],
    problems: Sequence[Problem],
    instance: int,
    solvers: Mapping[str, Solver],
) -> Comparison:
    return Comparison(
        order.problem,
        settings,
        problems,
        solvers,
        order.budget,
        instance,
        order.seed,
        order.terms,
        order.workers,
        race=None if order.full_evaluation else DEFAULT_RACE,
    )


def _elsewhere(order: Order, settings: Mapping[str, str], open_model: Callable[[str], LLM]) -> PromptProblem | None:
    return elsewhere(order.problem, settings, order.transfer, open_model) if order.transfer else None


def _perform(
    order: Order,
    comparison: Comparison,
    folder: Folder | None,
    other: PromptProblem | None = None,
    show: Show = output.show,
) -> int:
    runs: list[Run] = []
    trouble: NotWritten | LogError | None = None
    interrupted = False
    display = progress(comparison, quiet=order.quiet)
    try:
        with display:
            _run_all(comparison, runs, folder, display)
    except KeyboardInterrupt:
        interrupted = True
    except (NotWritten, LogError) as error:
        trouble = error
    interrupted = interrupted or any(run.record.stop_reason == "interrupted" for run in runs)
    rows: list[dict[str, Any]] = []
    if other is not None and not interrupted and trouble is None:
        try:
            rows = transferred(other, comparison, runs)
        except KeyboardInterrupt:
            interrupted = True
        except ModelError as error:
            print(f"llmopt: --transfer: {one_line(str(error))}", file=sys.stderr)
    show(order, comparison, runs, rows)
    sys.stdout.flush()
    if folder is not None and trouble is None:
        try:
            output.save(order, comparison, runs, folder, display)
        except KeyboardInterrupt:
            interrupted = True
        except NotWritten as error:
            trouble = error
    for run in runs:
        if run.record.stop_reason == "error":
            record = run.record
            print(f"llmopt: {record.solver}, repeat {record.repeat + 1}: {one_line(record.message)}", file=sys.stderr)
    if interrupted:
        planned = comparison.repeats * len(comparison.solvers)
        whole = sum(run.record.stop_reason != "interrupted" for run in runs)
        print(f"llmopt: interrupted; {whole} of {planned} runs had ended; what was done is kept", file=sys.stderr)
    if trouble is not None:
        raise trouble
    return int(interrupted or any(run.record.stop_reason == "error" for run in runs))


def _run_all(comparison: Comparison, runs: list[Run], folder: Folder | None, display: Progress) -> None:
    try:
        for run in comparison.runs(display):
            runs.append(run)
            if folder is not None:
                folder.add(run)
            display.end(run)
    finally:
        # Ctrl-C may have come between the end of a run and its last byte on the disk.
        if folder is not None:
            folder.complete(runs)


def _suitable(order: Order, problem: Problem) -> list[str]:
    """Return the default solvers that can work on a problem; say which ones are left out."""
    suitable = []
    for text in defaults.solvers_for(problem.space):
        try:
            # A model's solver is checked with its model, later: it must not be left out in silence.
            if not needs_model(text):
                create_solver(text).check_problem(problem, order.budget)
            suitable.append(text)
        except (InvalidInput, MissingExtra) as error:
            if not order.quiet:
                print(f"left out: {one_line(text)} ({one_line(str(error))})", file=sys.stderr)
    return suitable


class _Silent(Wrapper):
    """A model that is not asked: every reply is a question mark."""

    def deliver(self, requests: Sequence[Request], take: Take) -> list[Response]:
        responses = [Response((Reply("?"),) * request.n, Usage()) for request in requests]
        for i, response in enumerate(responses):
            take(i, 0, response)
        return responses


def _unscored(order: Order, comparison: Comparison) -> Comparison:
    """Return a comparison in which no model is asked for a score: a dry run sends nothing."""
    if not any(isinstance(problem, ItemProblem) for problem in comparison.problems):
        return comparison
    if not order.quiet:
        print("llmopt: a dry run asks no scorer; the scores in its prompt are those of empty answers", file=sys.stderr)
    problems = [
        problem.bound(lambda llm, role: _Silent(llm)) if isinstance(problem, ItemProblem) else problem
        for problem in comparison.problems
    ]
    return replace(comparison, problems=problems)


def _opener(stack: ExitStack) -> Callable[[str], LLM]:
    """Return what opens a model by its SPEC, each once: solver and scorer may be the same one."""
    opened: dict[str, LLM] = {}

    def open_model(spec: str) -> LLM:
        from llmopt.llm import connect

        if spec not in opened:
            opened[spec] = stack.enter_context(connect(spec))
        return opened[spec]

    return open_model
