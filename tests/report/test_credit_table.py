"""The credit of a hybrid in a report: its controls, run again."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmopt import Budget
from llmopt.benchmarks.compare import Comparison
from llmopt.benchmarks.results import Results
from llmopt.opro.tour_hybrid import TourHybrid
from llmopt.problems.tsp import tsp
from llmopt.registry import create_solver
from llmopt.report.page import credit as page_of_credit
from llmopt.report.page.credit import credit
from llmopt.report.page.plain import tables
from llmopt.report.page.source import Part, parts
from llmopt.runlog import RunLog
from support.models import obedient


@pytest.fixture
def part(tmp_path: Path) -> Part:
    solvers = {"hybrid": TourHybrid(obedient()), "random": create_solver("random")}
    with RunLog(tmp_path) as log:
        problems = [tsp(n=9, instance=i) for i in range(2)]
        list(Comparison("tsp", {"n": "9"}, problems, solvers, Budget(evaluations=6), log=log).runs())
    [part] = parts(Results.read(tmp_path))
    return part


def test_the_controls_stand_beside_the_hybrid(part: Part, tmp_path: Path) -> None:
    table, again = credit(part), credit(part)
    assert table is not None and table == again
    assert [row[0] for row in table.rows] == [
        "hybrid",
        "2-opt, as many evaluations",
        "iterated-2-opt, as many evaluations",
    ]
    assert "time" not in [column.heading for column in table.columns]
    assert {len(row) for row in table.rows} == {len(table.columns)}
    [hybrid] = [row for row in part.table.rows if row[0] == "hybrid"]
    assert table.rows[0][:6] == hybrid[:6]
    assert table.title in [each.title for each in tables(Results.read(tmp_path))]


def test_there_is_none_without_a_hybrid_or_where_it_would_take_long(
    part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [each for each in part.traces if each.record.solver == "random"]
    assert credit(Part(1, "other", others, part.problem)) is None
    monkeypatch.setattr(page_of_credit, "_MOVES", 0)
    assert credit(part) is None
