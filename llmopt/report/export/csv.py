"""Two CSV files: the runs, and their evaluations."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llmopt.report.export.tables import Column, evaluations_table, runs_table
from llmopt.report.safe import cell
from llmopt.runlog import LoggedRun, LogReader


def export(reader: LogReader, runs: Sequence[LoggedRun], target: Path) -> list[str]:
    """Write ``runs.csv`` and ``evaluations.csv`` into a folder and return their names.

    Numbers are written so that they read back exactly; a text that a spreadsheet would take as a formula has an
    apostrophe before it.
    """
    _write(target / "runs.csv", runs_table(reader, runs))
    _write(target / "evaluations.csv", evaluations_table(reader, runs))
    return ["runs.csv", "evaluations.csv"]


def _write(path: Path, columns: Sequence[Column]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in columns])
        for row in zip(*(column.values for column in columns), strict=True):
            writer.writerow([_cell(value) for value in row])


def _cell(value: Any) -> Any:
    return cell(json.dumps(value) if isinstance(value, list) else value)
