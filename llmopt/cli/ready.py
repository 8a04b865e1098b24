"""From what was asked for to a comparison that may begin: every part is built and checked, and nothing is sent."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from llmopt.benchmarks.compare import Comparison, create_problems, create_solvers
from llmopt.cli import defaults, output
from llmopt.cli.order import META, ORDER, Order, as_json, asked, from_json
from llmopt.cli.transfer import elsewhere, unseen
from llmopt.errors import InvalidInput, MissingExtra
from llmopt.items import ItemProblem
from llmopt.llm.base import LLM
from llmopt.problem import Problem
from llmopt.problems.prompt.problem import PromptProblem
from llmopt.racing import Race
from llmopt.registry import create_solver, needs_model, takes
from llmopt.report.folder import Folder
from llmopt.report.safe import one_line
from llmopt.run import DEFAULT_RACE
from llmopt.runlog import LogReader, RunLog
from llmopt.runlog.reader import FILE
from llmopt.settings import parse_pairs
from llmopt.solver import Solver

_FREE = ("folder", "budget", "prices", "cache")
"""What may be another when a comparison goes on."""


@dataclass(frozen=True)
class Ready:
    """A comparison that may begin.

    Parameters
    ----------
    order
        What was asked for, with the solvers that are to run.
    comparison
        What is run; it has a log where an earlier one goes on, and else gets it by :func:`begun`.
    llm
        The model of the solvers.
    folder
        Where it is written.
    others
        Where what is found is scored besides, by repeat; empty: nowhere.
    """

    order: Order
    comparison: Comparison
    llm: LLM | None
    folder: Folder | None
    others: Sequence[PromptProblem]


def prepared(order: Order, stack: ExitStack, *, dry: bool = False) -> Ready:
    """Build and check everything that a new comparison takes; models are open until the stack is closed.

    Raises
    ------
    InvalidInput, MissingExtra
        Something is not legal, or is not installed; nothing was evaluated, sent or written.
    """
    if order.seed < 0:
        raise InvalidInput(f"--seed must be at least 0, not {order.seed}")
    settings = parse_pairs(order.pairs, f"problem {order.problem}")
    open_model = _opener(stack)
    problems, instance = create_problems(order.problem, settings, order.repeats, open_model)
    _say(order, problems[0].notices)
    solvers = _suitable(order, problems[0]) if order.solvers is None else list(order.solvers)
    _refuse_unread(order, problems[0], solvers)
    # What needs no model is checked before one is started.
    create_solvers([text for text in solvers if not needs_model(text)], None)
    folder = Folder(order.out, overwrite=order.overwrite) if order.out is not None and not dry else None
    llm = open_model(order.llm) if any(map(needs_model, solvers)) else None
    comparison = _comparison(order, settings, problems, instance, create_solvers(solvers, llm, order.hint))
    others = [] if dry else _elsewhere(order, settings, problems, open_model)
    notices = dict.fromkeys(notice for other in others for notice in other.notices)
    _say(order, [notice for notice in notices if notice not in problems[0].notices])
    return Ready(replace(order, solvers=tuple(solvers)), comparison, llm, folder, others)


def reopened(order: Order, stack: ExitStack, *, fork: bool = False, force: bool = False) -> Ready:
    """Build and check what goes on with the comparison in an order's folder; its log is open until the stack is closed.

    Raises
    ------
    InvalidInput
        It was another one, or it is damaged; nothing was evaluated or written.
    """
    assert order.out is not None and order.solvers is not None, "a log has a folder and names its solvers"
    log = stack.enter_context(RunLog(order.out))
    settings = parse_pairs(order.pairs, f"problem {order.problem}")
    open_model = _opener(stack)
    problems, instance = create_problems(order.problem, settings, order.repeats, open_model)
    llm = open_model(order.llm) if any(map(needs_model, order.solvers)) else None
    comparison = _comparison(order, settings, problems, instance, create_solvers(order.solvers, llm, order.hint))
    comparison = replace(comparison, log=log, asked=asked(order), fork=fork, force=force)
    return Ready(order, comparison, llm, Folder(order.out, log=log), _elsewhere(order, settings, problems, open_model))


def continued(order: Order, stack: ExitStack) -> Ready | None:
    """Return what goes on where the same order ended before; None where its folder holds no comparison, or is to be
    overwritten.

    Raises
    ------
    InvalidInput
        The folder holds what another order began.
    """
    if order.out is None or order.overwrite or not (order.out / FILE).exists():
        return None
    with LogReader(order.out) as reader:
        reader.check()
        stored = reader.meta(ORDER)
    if stored is None:
        return None
    earlier = from_json(stored, order.out, json=order.json, quiet=order.quiet)
    assert earlier.solvers is not None, "a log names its solvers"
    # Those that suit the problem were chosen when it began.
    solvers = earlier.solvers if order.solvers is None else order.solvers
    then, now = as_json(earlier, earlier.solvers), as_json(order, solvers)
    if changed := [name for name in now if name not in _FREE and now[name] != then[name]]:
        raise InvalidInput(
            f"--out {order.out} holds what another command began (other {', '.join(changed)}); repeat that one, give "
            "another folder, or --overwrite"
        )
    return reopened(replace(order, solvers=tuple(solvers)), stack)


def begun(ready: Ready, stack: ExitStack) -> Ready:
    """Write to the folder that it begins, or goes on; a new comparison gets its log, open until the stack is closed."""
    order, comparison, folder = ready.order, ready.comparison, ready.folder
    if folder is None:
        return ready
    if comparison.log is not None:
        # Whoever goes on again need not repeat another budget, nor what models cost.
        meta = output.gone_on(comparison.log.reader.meta(META), order.budget)
        comparison.log.set_meta(ORDER, as_json(order, order.solvers or ()))
        comparison.log.set_meta(META, meta)
        folder.begin(meta)
        return ready
    folder.remove_log()
    log = stack.enter_context(RunLog(folder.path))
    if log.remark and not order.quiet:
        print(f"llmopt: {one_line(log.remark)}", file=sys.stderr)
    meta = output.meta(order, comparison, ready.llm)
    log.set_meta(ORDER, as_json(order, order.solvers or ()))
    log.set_meta(META, meta)
    folder.begin(meta)
    return replace(ready, comparison=replace(comparison, log=log, asked=asked(order)))


def _say(order: Order, notices: Iterable[str]) -> None:
    """Say what a user should be told about data."""
    if not order.quiet:
        for notice in notices:
            print(f"llmopt: {one_line(notice)}", file=sys.stderr)


def _comparison(
    order: Order,
    settings: Mapping[str, str],
    problems: Sequence[Problem],
    instance: int,
    solvers: Mapping[str, Solver],
) -> Comparison:
    return Comparison(
        order.problem,
        # The instance stands apart: each repeat has its own.
        {name: value for name, value in settings.items() if name != "instance"},
        problems,
        solvers,
        order.budget,
        instance,
        order.seed,
        order.terms,
        order.workers,
        race=_race(order),
    )


def check_scored_by_items(name: str, problem: Problem, options: Mapping[str, bool]) -> None:
    """Raise InvalidInput where an option that is for the items of a problem is given, and the problem has none."""
    given = [option for option, is_given in options.items() if is_given]
    if given and not isinstance(problem, ItemProblem):
        raise InvalidInput(
            f"{', '.join(given)}: only for problems whose score is a mean over examples, such as prompt, and {name} is "
            "none; leave it out"
        )


def _refuse_unread(order: Order, problem: Problem, solvers: Sequence[str]) -> None:
    """Raise InvalidInput where an option is given that nothing would read."""
    options = {
        "--max-scorer-calls": order.budget.scorer_calls is not None,
        "--full-evaluation": order.full_evaluation,
        "--race-level": order.race_level is not None,
    }
    check_scored_by_items(order.problem, problem, options)
    if order.hint and not any(takes(text, "hint") for text in solvers):
        raise InvalidInput(
            f"--hint is for solvers with a language model, and {', '.join(solvers)} would not read it; leave it out, "
            "or name another solver"
        )


def _race(order: Order) -> Race | None:
    if order.race_level is None:
        return None if order.full_evaluation else DEFAULT_RACE
    if order.full_evaluation:
        raise InvalidInput("--race-level is for races, and --full-evaluation has none; leave one of them out")
    return replace(DEFAULT_RACE, level=order.race_level)


def _elsewhere(
    order: Order, settings: Mapping[str, str], searched: Sequence[Problem], open_model: Callable[[str], LLM]
) -> list[PromptProblem]:
    if not order.transfer:
        return []
    others = elsewhere(order.problem, settings, order.transfer, order.repeats, open_model)
    others = unseen(others, searched, order.transfer)
    for llm in others[0].models.values():
        order.terms.check(llm, order.budget.cost)
    return others


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


def _opener(stack: ExitStack) -> Callable[[str], LLM]:
    """Return what opens a model by its SPEC, each once: solver and scorer may be the same one."""
    opened: dict[str, LLM] = {}

    def open_model(spec: str) -> LLM:
        from llmopt.llm import connect

        if spec not in opened:
            opened[spec] = stack.enter_context(connect(spec))
        return opened[spec]

    return open_model
