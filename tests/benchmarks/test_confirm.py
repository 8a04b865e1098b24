"""Whole runs of designs, kept as they end, and ratios over settings."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.benchmarks.bench import Bench
from llmopt.benchmarks.crew import Here, Models
from llmopt.benchmarks.studies import command, confirm, paired
from llmopt.benchmarks.studies.designs import DEFAULT
from llmopt.benchmarks.studies.paired import geometric_ratio
from llmopt.benchmarks.suite_file import parse
from llmopt.budget import Budget
from llmopt.runlog import RunLog
from support.models import obedient

positive = st.lists(st.floats(1, 1e4), min_size=5, max_size=20)


@given(positive, st.floats(0.1, 10))
def test_a_constant_factor_is_the_ratio_and_its_whole_interval(values: list[float], factor: float) -> None:
    assert geometric_ratio(np.array(values) * factor, values) == pytest.approx((factor, factor, factor))


@given(positive, st.integers(0, 99))
def test_the_ratio_lies_in_its_interval_and_turns_over_with_the_solvers(values: list[float], seed: int) -> None:
    other = np.random.default_rng(seed).uniform(1, 1e4, len(values))
    value, low, high = geometric_ratio(values, other)
    assert low <= value * (1 + 1e-9) and value <= high * (1 + 1e-9)
    assert geometric_ratio(other, values) == pytest.approx((1 / value, 1 / high, 1 / low), rel=1e-6)


def test_runs_are_kept_and_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "connect", lambda spec: nullcontext(obedient()))
    monkeypatch.setattr(confirm, "SEEDS", range(8_000, 8_002))
    monkeypatch.setattr(confirm, "BUDGET", Budget(evaluations=60))
    confirm.main(str(tmp_path / "found.csv"), DEFAULT)
    table = capsys.readouterr().out
    assert [line.split(" | ")[0] for line in table.splitlines()[2:]] == ["| gaussian", "| differential", f"| {DEFAULT}"]

    def never(*arguments: object) -> None:
        raise AssertionError("it is known")

    monkeypatch.setattr(confirm, "run", never)
    confirm.main(str(tmp_path / "found.csv"), DEFAULT)
    assert capsys.readouterr().out == table


def test_a_folder_is_compared_with_the_better_control_in_each_setting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = parse(
        'name = "x"\n[[group]]\nproblem = "regression"\nsettings = { w_true = [3, 15], b_true = 5 }\n'
        'solvers = ["gaussian", "differential", "quadratic"]\nbudget = { evaluations = 200 }\n'
    )
    with RunLog(tmp_path / "out") as log:
        Bench(suite, log).work(Here(Models()), lambda cell, record: None)
    paired.main("quadratic", str(tmp_path / "out"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("| gaussian | 2/2 |") and lines[-1].startswith(
        "| the better of gaussian and differential"
    )
    ratios = [float(line.split("|")[-2].split()[0]) for line in (lines[2], lines[3], lines[-1])]
    # The better control in each setting is at least as hard to beat as either of them alone.
    assert max(ratios[:2]) <= ratios[2] < 1
