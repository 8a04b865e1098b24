"""``--transfer``: what was found, on another data set or with another scorer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from llmopt.benchmarks.compare import Comparison
from llmopt.benchmarks.execution import Run
from llmopt.errors import InvalidInput
from llmopt.llm.base import LLM
from llmopt.problems.prompt.problem import PromptProblem
from llmopt.problems.prompt.transfer import transfer
from llmopt.registry import create_problem
from llmopt.report.safe import one_line
from llmopt.settings import parse_pairs


_OF_THE_SEARCH = ("initial", "start")
"""What has no part in a transfer, which begins with what was found."""

_OF_THE_DATA = ("input_column", "target_column", "metric")
"""What belongs to one data set, and would be read into another one."""


def elsewhere(
    name: str, settings: Mapping[str, str], pairs: Sequence[str], open_model: Callable[[str], LLM]
) -> PromptProblem:
    """Return the problem with other settings, which is checked before the search begins.

    Raises
    ------
    InvalidInput
        A setting is not legal, or the problem is not one of instructions.
    """
    problem = create_problem(name, _changed(settings, parse_pairs(pairs, "--transfer")), open_model=open_model)
    if not isinstance(problem, PromptProblem):
        raise InvalidInput(f"--transfer is for instructions, not for the problem {name}; leave it out")
    return problem


def _changed(settings: Mapping[str, str], named: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of a transfer: those of the search that go along, and those that are named."""
    left = set(_OF_THE_SEARCH)
    if {"dataset", "data"} & set(named):
        left |= set(_OF_THE_DATA)
        # A folder of public data may hold the other data set too.
        if not Path(settings.get("data", "")).is_dir():
            left.add("data")
    return {key: value for key, value in settings.items() if key not in left} | dict(named)


def transferred(problem: PromptProblem, comparison: Comparison, runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Score what runs have found on the test examples of another problem."""
    found = [run.record for run in runs if run.record.instruction is not None]
    if not found:
        return []
    scored = transfer(problem, [str(record.instruction) for record in found], comparison.terms)
    return [
        {"solver": record.solver, "repeat": record.repeat, **outcome}
        for record, outcome in zip(found, scored, strict=True)
    ]


def show(pairs: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the outcome to stdout."""
    print(f"\ntransferred to {one_line(' '.join(pairs))}:")
    for row in rows:
        low, high = row["test_interval"]
        others = ", ".join(
            f"{'no instruction' if not other['instruction'] else 'step by step'} {other['test_accuracy']:.1%} "
            f"(p = {other['p_value']:.3g})"
            for other in row["compared"]
        )
        print(
            f"  {one_line(row['solver'])}, repeat {row['repeat'] + 1}: {row['test_accuracy']:.1%} of "
            f"{row['test_examples']:,} (95 % interval {low:.1%} to {high:.1%}); {others}"
        )
