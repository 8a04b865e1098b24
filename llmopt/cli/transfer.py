"""``--transfer``: what was found, on another data set or with another scorer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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


def elsewhere(
    name: str, settings: Mapping[str, str], pairs: Sequence[str], open_model: Callable[[str], LLM]
) -> PromptProblem:
    """Return the problem with other settings, which is checked before the search begins.

    Raises
    ------
    InvalidInput
        A setting is not legal, or the problem is not one of instructions.
    """
    changed = dict(settings) | parse_pairs(pairs, "--transfer")
    problem = create_problem(name, changed, open_model=open_model)
    if not isinstance(problem, PromptProblem):
        raise InvalidInput(f"--transfer is for instructions, not for the problem {name}; leave it out")
    return problem


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
