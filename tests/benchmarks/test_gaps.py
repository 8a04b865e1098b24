"""Whole runs on functions of several variables, kept as they end."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from llmopt.benchmarks.studies import command, gaps
from llmopt.benchmarks.studies.designs import DEFAULT
from support.models import obedient


def test_gaps_are_kept_and_shown_by_the_number_of_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "connect", lambda spec: nullcontext(obedient()))
    monkeypatch.setattr(gaps, "FUNCTIONS", ("name=sphere dim=2", "name=branin", "name=sphere dim=3"))
    monkeypatch.setattr(gaps, "EACH", 10)
    file = tmp_path / "gaps.csv"
    gaps.main(str(file), "--instances", "2", DEFAULT)
    table = capsys.readouterr().out
    head, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    assert head == ["design", "2 variables", "3 variables", "all", "over gaussian (95 %)"]
    assert [row[0] for row in rows] == [*gaps.BESIDE, DEFAULT] and rows[0][-1] == "1.00 (1.00 to 1.00)"
    assert all(float(cell) >= gaps.FLOOR for row in rows for cell in row[1:-1])
    kept = file.read_text()
    assert len(kept.splitlines()) == 1 + 3 * 2 * 4

    gaps.main(str(file), "--instances", "2", DEFAULT)
    assert capsys.readouterr().out == table and file.read_text() == kept


def test_a_design_that_is_unknown_is_refused_before_any_run(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        gaps.main(str(tmp_path / "gaps.csv"), "no such design")
    assert not (tmp_path / "gaps.csv").exists()


def test_instances_of_one_function_are_no_more_evidence_than_their_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaps, "FUNCTIONS", ("name=sphere dim=2", "name=ackley dim=2", "name=branin"))
    factors = dict(zip(gaps.FUNCTIONS, (0.5, 1.0, 4.0), strict=True))

    def interval(instances: range) -> str:
        found = {("gaussian", f, i): 1.0 + i for f in factors for i in instances}
        found |= {("differential", f, i): factor * (1.0 + i) for f, factor in factors.items() for i in instances}
        return gaps.table(found, ["gaussian", "differential"], instances).splitlines()[-1].split("|")[-2].strip()

    assert interval(range(1)) == interval(range(50)) == "1.26 (0.50 to 4.00)"
