"""``--transfer``: what was found, on another data set or with another scorer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from llmopt.benchmarks.compare import Comparison, create_problems
from llmopt.benchmarks.execution import Run
from llmopt.benchmarks.record import Record
from llmopt.errors import InvalidInput
from llmopt.llm.base import LLM
from llmopt.llm.ledger import Entry
from llmopt.problem import Problem
from llmopt.problems.prompt.problem import PromptProblem
from llmopt.problems.prompt.splits import normalised
from llmopt.problems.prompt.transfer import Transfer
from llmopt.report.safe import one_line
from llmopt.report.table import dollars
from llmopt.settings import parse_pairs

_KEPT = "transfer"
"""Its name in a log."""

_OF_THE_SEARCH = ("initial", "start")
"""What has no part in a transfer, which begins with what was found."""

_OF_THE_DATA = ("input_column", "target_column", "metric")
"""What belongs to one data set, and would be read into another one."""


def elsewhere(
    name: str, settings: Mapping[str, str], pairs: Sequence[str], repeats: int, open_model: Callable[[str], LLM]
) -> list[PromptProblem]:
    """Return the problem of each repeat with other settings, which is checked before the search begins.

    A repeat keeps its instance, so that on the same data and with the same sizes nothing is tested that its search has
    seen; of others :func:`unseen` leaves that out.

    Raises
    ------
    InvalidInput
        A setting is not legal, or the problem is not one of instructions.
    """
    problems, _ = create_problems(name, _changed(settings, parse_pairs(pairs, "--transfer")), repeats, open_model)
    found = [problem for problem in problems if isinstance(problem, PromptProblem)]
    if not found:
        raise InvalidInput(f"--transfer is for instructions, not for the problem {name}; leave it out")
    return found


def unseen(
    problems: Sequence[PromptProblem], searched: Sequence[Problem], pairs: Sequence[str] = ()
) -> list[PromptProblem]:
    """Return the problem of each repeat without the test examples whose questions its search knows, with a notice.

    Raises
    ------
    InvalidInput
        No test example of a repeat is left.
    """
    found = []
    for repeat, (problem, search) in enumerate(zip(problems, searched, strict=True), start=1):
        seen = search.splits.seen if isinstance(search, PromptProblem) else set()
        test = problem.splits.test
        kept = [example for example in test if normalised(example.input) not in seen]
        if not kept:
            raise InvalidInput(
                f"--transfer {' '.join(pairs)}: all {len(test)} test examples of repeat {repeat} are training or "
                "validation examples of its search; name other data, or leave instance, train, validation and test "
                "as they are in the search"
            )
        notice = (
            f"--transfer, repeat {repeat}: {len(test) - len(kept)} of {len(test)} test examples are training or "
            "validation examples of its search, and are left out"
        )
        found.append(problem if len(kept) == len(test) else problem.with_test(kept, notice))
    return found


def _changed(settings: Mapping[str, str], named: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of a transfer: those of the search that go along, and those that are named."""
    left = set(_OF_THE_SEARCH)
    if {"dataset", "data"} & set(named):
        left |= set(_OF_THE_DATA)
        # A folder of public data may hold the other data set too.
        if not Path(settings.get("data", "")).is_dir():
            left.add("data")
    return {key: value for key, value in settings.items() if key not in left} | dict(named)


def transferred(
    problems: Sequence[PromptProblem], comparison: Comparison, runs: Sequence[Run]
) -> Iterator[dict[str, Any]]:
    """Score what runs have found on the test examples of other problems, one for each repeat, and yield the outcome of
    each run.

    Each is kept in the log at once; what was scored before comes from there.
    """
    transfers = [Transfer(problem, comparison.terms, comparison.budget) for problem in problems]
    rows = kept(problems, comparison)
    for record in (run.record for run in runs if run.record.instruction is not None):
        row = next((row for row in rows if _is_of(row, record)), None)
        if row is None or not is_done(row):
            rows = [other for other in rows if other is not row]
            spent = _spent(record)
            for other in rows:
                # What it had found with a smaller budget was scored too.
                spent = spent.plus(_took(other)) if _is_of(other, record, instruction=False) else spent
            earlier = None if row is None else _took(row)
            scored = transfers[record.repeat].score(str(record.instruction), spent, earlier)
            row = {**_run_of(record), **scored}
            rows.append(row)
            if comparison.log is not None:
                comparison.log.set_meta(_KEPT, {"identity": _identity(problems), "rows": rows})
        yield row
        if row.get("stop_reason") == "interrupted":
            return


def kept(problems: Sequence[PromptProblem], comparison: Comparison) -> list[dict[str, Any]]:
    """Return the outcomes of transfers to problems that the log of a comparison holds."""
    stored = None if comparison.log is None else comparison.log.reader.meta(_KEPT)
    return list(stored["rows"]) if stored is not None and stored["identity"] == _identity(problems) else []


def is_done(row: Mapping[str, Any]) -> bool:
    """Return whether everything was scored."""
    return "test_accuracy" in row


def _run_of(record: Record) -> dict[str, Any]:
    """Return what says of which run a transfer is: the models are those of the search."""
    return {"solver": record.solver, "repeat": record.repeat, "llm": record.llm, "scorer": record.scorer}


def _is_of(row: Mapping[str, Any], record: Record, *, instruction: bool = True) -> bool:
    names = ("solver", "repeat", *(["instruction"] if instruction else []))
    return all(row[name] == getattr(record, name) for name in names)


def _identity(problems: Sequence[PromptProblem]) -> Any:
    """Return what the outcomes depend on, as it comes back from a log."""
    return json.loads(json.dumps([problem.identity() for problem in problems]))


def _spent(record: Record) -> Entry:
    return Entry(
        calls=record.llm_calls,
        prompt_tokens=record.prompt_tokens,
        completion_tokens=record.completion_tokens,
        dollars=record.cost_usd,
    )


def _took(row: Mapping[str, Any]) -> Entry:
    return Entry(
        calls=row["llm_calls"],
        prompt_tokens=row["prompt_tokens"],
        completion_tokens=row["completion_tokens"],
        dollars=row["cost_usd"],
    )


def show(pairs: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the outcome to stdout."""
    print(f"\ntransferred to {one_line(' '.join(pairs))}:")
    for row in rows:
        outcome = _outcome(row) if is_done(row) else f"not scored: {one_line(row['message'])}"
        print(f"  {one_line(row['solver'])}, repeat {row['repeat'] + 1}: {outcome}")
    costs = [row["cost_usd"] for row in rows]
    cost = "price unknown (--prices)" if None in costs else dollars(sum(costs))
    print(f"  cost of the transfer: {cost}, {sum(row['llm_calls'] for row in rows):,} calls")


def _outcome(row: Mapping[str, Any]) -> str:
    low, high = row["test_interval"]
    others = ", ".join(
        f"{'no instruction' if not other['instruction'] else 'step by step'} {other['test_accuracy']:.1%} "
        f"(p = {other['p_value']:.3g})"
        for other in row["compared"]
    )
    return f"{row['test_accuracy']:.1%} of {row['test_examples']:,} (95 % interval {low:.1%} to {high:.1%}); {others}"
