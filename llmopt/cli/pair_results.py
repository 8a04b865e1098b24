"""What every pair of models has found: shown as each ends, and together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmopt.benchmarks.compare import Comparison
from llmopt.benchmarks.execution import Run
from llmopt.benchmarks.record import Record
from llmopt.benchmarks.summary import moments
from llmopt.cli import output
from llmopt.cli.order import Order
from llmopt.report.safe import one_line
from llmopt.report.table import Column, Table


@dataclass(frozen=True)
class _Found:
    """What a pair has found."""

    llm: str
    scorer: str
    records: Sequence[Record]
    document: Mapping[str, Any]


class PairResults:
    """Gathers what pairs of models have found.

    Parameters
    ----------
    order
        What was asked for, all pairs together.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self._found: list[_Found] = []
        self._failed: list[dict[str, str]] = []

    def add(
        self,
        llm: str,
        scorer: str,
        own: Order,
        comparison: Comparison,
        runs: Sequence[Run],
        transferred: Sequence[Mapping[str, Any]],
    ) -> None:
        """Take what a pair has found, and show it unless one document is to hold all."""
        document = output.document(comparison, runs, transferred, with_solution=own.single)
        self._found.append(_Found(llm, scorer, [run.record for run in runs], document))
        if not self._order.json:
            output.show(own, comparison, runs, transferred)
            print()

    def fail(self, llm: str, scorer: str, message: str) -> None:
        """Take what has ended a pair."""
        self._failed.append({"llm": llm, "scorer": scorer, "message": message})

    def show(self) -> None:
        """Print what all have found to stdout: one JSON document, or their table."""
        if self._order.json:
            print(json.dumps(self._document(), indent=2, allow_nan=False))
        elif (table := self._table()) is not None:
            from llmopt.cli.table import print_table

            print_table(table)

    def _document(self) -> dict[str, Any]:
        documents = [found.document for found in self._found]
        transferred = [row for document in documents for row in document.get("transfer", ())]
        return {
            "problem": documents[0]["problem"] if documents else None,
            "runs": [run for document in documents for run in document["runs"]],
            **({"transfer": transferred} if transferred else {}),
            **({"failed": self._failed} if self._failed else {}),
        }

    def _table(self) -> Table | None:
        rows = []
        for pair in self._found:
            for solver in dict.fromkeys(record.solver for record in pair.records):
                tested = [r for r in pair.records if r.solver == solver and r.test_accuracy is not None]
                if tested:
                    rows.append(
                        [
                            one_line(pair.llm),
                            one_line(pair.scorer),
                            one_line(solver),
                            *(_mean(tested, name) for name in ("test_accuracy", "empty_accuracy", "step_accuracy")),
                        ]
                    )
        if not rows:
            return None
        columns = [
            Column("optimizer", number=False),
            Column("scorer", number=False),
            Column("solver", number=False),
            Column("test", "right %"),
            Column("no instruction", "test, right %"),
            Column("step by step", "test, right %"),
        ]
        return Table("every pair of models", columns, rows, ["means over the repeats, on the same test examples"])


def _mean(records: Sequence[Record], name: str) -> str:
    found = moments(getattr(record, name) for record in records)
    return "-" if found is None else f"{100 * found.mean:.1f}"
