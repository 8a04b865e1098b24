"""From what was asked for to runs, tables and files: what ``compare``, ``solve`` and ``demo`` share."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from llmopt.benchmarks.results import SUITE
from llmopt.budget import Budget
from llmopt.cli import defaults
from llmopt.cli.carry_out import carry_out
from llmopt.cli.consent import confirm
from llmopt.cli.forecast import forecast
from llmopt.cli.order import META, ORDER, Order, from_json
from llmopt.cli.ready import begun, check_scored_by_items, prepared, reopened
from llmopt.errors import InvalidInput
from llmopt.llm.terms import Terms
from llmopt.runlog import LogReader
from llmopt.runlog.reader import FILE

FIRST_PAIR = "pair-1"
"""The folder of the first of several pairs of models, see :mod:`llmopt.cli.pairs`."""


def budget(limits: Mapping[str, Any]) -> Budget:
    """Return the budget of limits, see :func:`llmopt.budget.limits`; those of models alone end no classical solver,
    and get the default number of evaluations besides."""
    ending = {"evaluations", "steps", "seconds", "scorer_calls"}
    return Budget(**{"evaluations": defaults.EVALUATIONS, **limits} if ending.isdisjoint(limits) else limits)


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


def perform(order: Order, *, dry: bool = False) -> int:
    """Check everything, then run, print and save; return the exit code.

    Raises
    ------
    InvalidInput, MissingExtra
        Something is not legal, or is not installed; nothing was evaluated, sent or written.
    NotWritten
        The folder could not be written on the way; what was done is printed.
    """
    with ExitStack() as stack:
        ready = prepared(order, stack, dry=dry)
        if dry:
            from llmopt.cli.dry import show_prompts

            return show_prompts(ready)
        confirm([forecast(ready.comparison, ready.others)], yes=order.yes, quiet=order.quiet)
        return carry_out(begun(ready, stack)).code


def resume(
    path: Path,
    limits: Mapping[str, Any],
    *,
    prices: Path | None,
    workers: int,
    fork: bool,
    force: bool,
    yes: bool,
    json: bool,
    quiet: bool,
) -> int:
    """Go on with the comparison in a folder; return the exit code.

    Parameters
    ----------
    path
        The folder.
    limits
        Those of the comparison that are replaced, see :func:`llmopt.budget.limits`.
    prices
        See :func:`terms`.
    workers
        Evaluations of a step at the same time.
    fork, force
        See :class:`llmopt.runlog.Slot`.
    yes
        Do not ask where what is left may be expensive.
    json, quiet
        How it is shown.

    Raises
    ------
    InvalidInput
        The folder holds no comparison, it was another one, or it is damaged, or the person said no; nothing was
        evaluated, sent or written.
    """
    _refuse_pairs(path)
    with LogReader(path) as reader:
        reader.check()
        stored = reader.meta(ORDER)
        if stored is None and reader.meta(SUITE) is not None:
            words = _command(reader, "llmopt bench SUITE")
            raise InvalidInput(f"{path} holds the runs of a suite; the command that began them goes on: {words}")
        if stored is None:
            raise InvalidInput(
                f"{path} holds no comparison of the command line; a run of Python code goes on by "
                "llmopt.resume(folder, function)"
            )
    order = replace(from_json(stored, path, json=json, quiet=quiet), workers=workers, yes=yes)
    order = replace(order, budget=Budget(**{**asdict(order.budget), **limits}))
    if prices is not None:
        order = replace(order, terms=replace(order.terms, prices=terms(prices, "off").prices))
    with ExitStack() as stack:
        try:
            ready = reopened(order, stack, fork=fork, force=force)
        except InvalidInput as error:
            raise InvalidInput(f"{error}{_begun_elsewhere(stored.get('folder'), order.pairs)}") from None
        given = {"--max-scorer-calls": "scorer_calls" in limits}
        check_scored_by_items(order.problem, ready.comparison.problems[0], given)
        confirm([forecast(ready.comparison, ready.others)], yes=order.yes, quiet=order.quiet)
        return carry_out(begun(ready, stack)).code


def _begun_elsewhere(folder: str | None, pairs: Sequence[str]) -> str:
    """Return what to say besides of an error where files of the settings are in the folder in which the comparison
    began, and not in this one."""
    # A metric is FILE.py:NAME.
    files = [file for pair in pairs for value in [pair.partition("=")[2]] for file in (value, value.partition(":")[0])]
    missing = [file for file in files if folder is not None and Path(folder, file).exists() and not Path(file).exists()]
    return f"; the comparison began in {folder}, where there is {missing[0]}: resume it there" if missing else ""


def _refuse_pairs(path: Path) -> None:
    """Raise InvalidInput where a folder holds those of pairs of models, of which some may not have begun."""
    first = path / FIRST_PAIR
    if (path / FILE).exists() or not (first / FILE).exists():
        return
    with LogReader(first) as reader:
        words = _command(reader, "llmopt compare prompt ...")
    raise InvalidInput(f"{path} holds a folder for each pair of models; the command that began them goes on: {words}")


def _command(reader: LogReader, otherwise: str) -> str:
    """Return the command that began a log."""
    typed = (reader.meta(META) or {}).get("command")
    return otherwise if typed is None else shlex.join(map(str, typed))
