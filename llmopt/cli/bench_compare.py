"""``llmopt bench compare``: two results of one suite, side by side."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from llmopt.benchmarks.record import finite
from llmopt.benchmarks.results import Results
from llmopt.benchmarks.side_by_side import Change, side_by_side
from llmopt.cli.table import print_table
from llmopt.report.safe import one_line
from llmopt.report.table import Column, Table


def compare(before: Path, after: Path, *, as_json: bool) -> int:
    """Print what differs; the exit code is 1 where something became worse."""
    first, second = Results.read(before), Results.read(after)
    changes = side_by_side(first, second, np.random.default_rng(0))
    if as_json:
        found = [{**_finite(asdict(change)), "verdict": change.verdict} for change in changes]
        print(json.dumps({"suite": first.name, "before": str(before), "after": str(after), "changes": found}, indent=2))
    else:
        print_table(_table(first, second, changes))
    return int(any(change.verdict == "worse" for change in changes))


def _finite(values: dict[str, object]) -> dict[str, object]:
    return {name: _finite(value) if isinstance(value, dict) else finite(value) for name, value in values.items()}


def _table(before: Results, after: Results, changes: list[Change]) -> Table:
    columns = [
        Column("problem", number=False),
        Column("solver", number=False),
        Column("solved", "before"),
        Column("solved", "after"),
        Column("evaluations", "after / before"),
        Column("95 %", "interval"),
        Column("p", "Holm"),
        Column("verdict", number=False),
    ]
    rows = [
        [
            one_line(change.problem),
            one_line(change.solver),
            *(f"{count}/{change.pairs}" for count in change.successes),
            _number(change.ratio.value),
            "-" if change.ratio.low is None else f"{_number(change.ratio.low)} to {_number(change.ratio.high)}",
            f"{change.p_value:.3g}",
            change.verdict,
        ]
        for change in changes
    ]
    missing = [
        f"only in {one_line(str(results.folder))}: {one_line(', '.join(sorted(names)))}"
        for results, names in (
            (before, set(before.solvers) - set(after.solvers)),
            (after, set(after.solvers) - set(before.solvers)),
        )
        if names
    ]
    notes = [
        "evaluations: expected running time, failures included; interval: paired bootstrap; p: Wilcoxon's signed-rank "
        "test of paired runs, corrected for all rows",
        *_versions(before, after),
        *missing,
    ]
    return Table(one_line(f"{before.name}: {before.folder} and {after.folder}"), columns, rows, notes)


def _versions(before: Results, after: Results) -> list[str]:
    """Say which versions and models differ."""
    old, new = before.meta.get("versions", {}), after.meta.get("versions", {})
    changed = [
        f"{name} {old.get(name)} and {new.get(name)}" for name in {**old, **new} if old.get(name) != new.get(name)
    ]
    if before.meta.get("llm") != after.meta.get("llm"):
        changed.append(f"model {before.meta.get('llm')} and {after.meta.get('llm')}")
    return [one_line(f"differs: {', '.join(changed)}")] if changed else []


def _number(value: float | None) -> str:
    return "-" if value is None or not np.isfinite(value) else f"{value:.3g}"
