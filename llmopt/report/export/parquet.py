"""Two Parquet files: the runs, and their evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llmopt.errors import MissingExtra
from llmopt.report.export.tables import Column, evaluations_table, runs_table
from llmopt.runlog import LoggedRun, LogReader


def export(reader: LogReader, runs: Sequence[LoggedRun], target: Path) -> list[str]:
    """Write ``runs.parquet`` and ``evaluations.parquet`` into a folder and return their names.

    Raises
    ------
    MissingExtra
        pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("Parquet files need pyarrow: pip install 'llmopt[parquet]'") from None
    kinds = {int: pa.int64(), float: pa.float64(), str: pa.string(), bool: pa.bool_(), list: pa.list_(pa.int32())}

    def table(columns: Sequence[Column]) -> Any:
        arrays = [pa.array(column.values, kinds.get(column.kind)) for column in columns]
        return pa.table(arrays, names=[column.name for column in columns])

    parquet.write_table(table(runs_table(reader, runs)), target / "runs.parquet")
    parquet.write_table(table(evaluations_table(reader, runs)), target / "evaluations.parquet")
    return ["runs.parquet", "evaluations.parquet"]
