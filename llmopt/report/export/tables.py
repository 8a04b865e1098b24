"""The runs and the evaluations of a log as columns, which CSV and Parquet files hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llmopt.history import STATUSES
from llmopt.llm.ledger import total
from llmopt.runlog import LoggedRun, LogReader
from llmopt.space import Categorical, Float, Permutation, Space, Variable, Vector

_FIXED = ("run", "call", "step", "status", "score", "reason")


@dataclass(frozen=True)
class Column:
    """One column: its name, its values (None where there is none) and what they are."""

    name: str
    kind: type
    values: list[Any]


def runs_table(reader: LogReader, runs: Sequence[LoggedRun]) -> list[Column]:
    """Return one row for each run."""
    spent = [total(reader.spent(run)) for run in runs]
    columns: list[tuple[str, type, list[Any]]] = [
        ("run", int, [run.id for run in runs]),
        ("parent", int, [run.parent for run in runs]),
        ("problem", str, [run.problem for run in runs]),
        ("instance", int, [run.identity["asked"].get("instance") for run in runs]),
        ("solver", str, [run.solver for run in runs]),
        ("repeat", int, [run.repeat for run in runs]),
        ("seed", int, [run.seed for run in runs]),
        ("direction", str, ["maximize" if run.maximize else "minimize" for run in runs]),
        ("state", str, [run.state for run in runs]),
        ("stop_reason", str, [run.stop_reason for run in runs]),
        ("evaluations", int, [run.evaluations for run in runs]),
        ("best_score", float, [run.best_score for run in runs]),
        ("seconds", float, [run.seconds for run in runs]),
        ("llm_calls", int, [entry.calls for entry in spent]),
        ("prompt_tokens", int, [entry.prompt_tokens for entry in spent]),
        ("completion_tokens", int, [entry.completion_tokens for entry in spent]),
        ("cost_usd", float, [entry.dollars for entry in spent]),
    ]
    return [Column(*column) for column in columns]


def evaluations_table(reader: LogReader, runs: Sequence[LoggedRun]) -> list[Column]:
    """Return one row for each evaluation: a column for each variable where all runs have the same, else the solution
    as JSON."""
    ids: list[int] = []
    calls: list[int] = []
    steps: list[int] = []
    status: list[str] = []
    scores: list[float | None] = []
    reasons: list[str | None] = []
    solutions: list[Any] = []
    for run in runs:
        outcome = reader.outcome(run)
        ids += [run.id] * len(outcome)
        calls += outcome.calls.tolist()
        steps += outcome.steps.tolist()
        status += [STATUSES[code] for code in outcome.status]
        signed = (-outcome.losses if run.maximize else outcome.losses) + 0.0
        scores += [None if score != score else score for score in signed.tolist()]
        reasons += [outcome.reasons.get(i) for i in range(len(outcome))]
        solutions += run.space.rows_to_json(outcome.columns)
    return [
        Column("run", int, ids),
        Column("call", int, calls),
        Column("step", int, steps),
        Column("status", str, status),
        Column("score", float, scores),
        *_solutions([run.space for run in runs], solutions),
        Column("reason", str, reasons),
    ]


def _solutions(spaces: Sequence[Space[Any]], solutions: list[Any]) -> list[Column]:
    first = spaces[0] if spaces else None
    if any(space != first for space in spaces):
        return [Column("solution", str, [json.dumps(value) for value in solutions])]
    if isinstance(first, Vector):
        prefix = "solution." if set(first.variables) & set(_FIXED) else ""
        return [
            _variable(prefix + name, variable, [value[name] for value in solutions])
            for name, variable in first.variables.items()
        ]
    return [Column("solution", list if isinstance(first, Permutation) else str, solutions)]


def _variable(name: str, variable: Variable, values: list[Any]) -> Column:
    if not isinstance(variable, Categorical):
        return Column(name, float if isinstance(variable, Float) else int, values)
    kinds = {type(choice) for choice in variable.choices if choice is not None}
    if len(kinds) == 1:
        return Column(name, kinds.pop(), values)
    # Choices of several kinds stay apart as JSON: 1 and "1".
    return Column(name, str, [json.dumps(value) for value in values])
