"""The table of instructions that solvers have found."""

from __future__ import annotations

from collections.abc import Sequence

from llmopt.benchmarks.record import Record
from llmopt.benchmarks.summary import moments
from llmopt.report.safe import one_line
from llmopt.report.table import Column, Table, mean_std, percent

_SURE = 0.05
_SHOWN = 80


def found_instructions(records: Sequence[Record]) -> Table | None:
    """Return how the instructions do that were found, by solver; None where there are none."""
    tested = [record for record in records if record.test_accuracy is not None]
    if not tested:
        return None
    columns = [
        Column("solver", number=False),
        Column("training", "right %"),
        Column("validation", "right %"),
        Column("test", "right %"),
        Column("no instruction", "test, right %"),
        Column("step by step", "test, right %"),
        Column("better than", "both (p < 0.05)"),
        Column("scorer calls", "of the search"),
        Column("dropped", "early"),
        Column("best instruction", number=False),
    ]
    solvers = dict.fromkeys(record.solver for record in tested)
    rows = [_row([record for record in tested if record.solver == solver]) for solver in solvers]
    notes = [
        "mean (standard deviation) over the repeats; each found on training examples, chosen with validation examples, "
        "and tested on examples that the search has not seen, the same for all",
        "better than both: repeats in which McNemar's exact test finds it better than the empty instruction and "
        '"Let\'s think step by step.", each at 5 %; with many solvers or tasks, correct for them (Holm)',
    ]
    return Table("the instructions that were found", columns, rows, notes)


def _row(records: Sequence[Record]) -> list[str]:
    best = max(records, key=lambda record: record.test_accuracy or 0.0)
    return [
        one_line(records[0].solver),
        *(
            percent(moments(getattr(record, name) for record in records))
            for name in (
                *("train_accuracy", "validation_accuracy", "test_accuracy"),
                *("empty_accuracy", "step_accuracy"),
            )
        ),
        f"{sum(map(_better, records))}/{len(records)}",
        mean_std(moments(record.scorer_calls for record in records)),
        mean_std(moments(record.dropped for record in records)),
        one_line((best.instruction or "(none)")[:_SHOWN]),
    ]


def _better(record: Record) -> bool:
    pairs = ((record.empty_accuracy, record.p_empty), (record.step_accuracy, record.p_step))
    assert record.test_accuracy is not None
    return all(other is not None and p is not None and record.test_accuracy > other and p < _SURE for other, p in pairs)
