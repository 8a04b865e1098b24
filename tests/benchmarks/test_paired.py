"""Ratios of evaluations over the settings of whole suites."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from llmopt.benchmarks.bench import Bench
from llmopt.benchmarks.crew import Here, Models
from llmopt.benchmarks.studies import paired
from llmopt.benchmarks.studies.paired import Setting, first_over_best, geometric_ratio
from llmopt.benchmarks.suite_file import parse
from llmopt.runlog import RunLog


def bench(out: Path, solvers: str, evaluations: int, settings: str = "[3, 15]") -> str:
    """Run a small suite and return its folder."""
    suite = parse(
        f'name = "x"\n[[group]]\nproblem = "regression"\nsettings = {{ w_true = {settings}, b_true = 5 }}\n'
        f"solvers = {solvers}\nrepeats = 2\nbudget = {{ evaluations = {evaluations} }}\n"
    )
    with RunLog(out) as log:
        Bench(suite, log, "copier").work(Here(Models()), lambda cell, record: None)
    return str(out)


def table(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, list[str]]:
    """Return the cells of each row behind its first one, and what stands below the table under the name ``""``."""
    paired.main(*arguments)
    lines = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]
    return {row[0]: row[1:] for row in rows[2:]} | {"": [line for line in lines if line and line[0] != "|"]}


def failure(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the one line with which a call fails."""
    with pytest.raises(SystemExit) as ended:
        paired.main(*arguments)
    shown = capsys.readouterr()
    assert ended.value.code == 2 and shown.out == "" and len(shown.err.splitlines()) == 1
    return shown.err


def test_a_solver_that_fails_half_of_its_runs_never_ends_in_the_median(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = table(capsys, "random", bench(tmp_path, '["random", "quadratic"]', 60))
    assert found["random"][:2] == ["0/4", "never"] and found["quadratic"][:2] == ["4/4", "7"]


def test_a_ratio_says_which_solver_has_settings_without_a_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = bench(tmp_path, '["random", "quadratic", "gaussian"]', 60)
    over = table(capsys, "random", folder)["quadratic"][2]
    assert over.startswith("8.57 (8.57 to 8.57); random solved none in 2 of 2 settings")
    assert table(capsys, "quadratic", folder)["random"][2].endswith("; random solved none in 2 of 2 settings")


def test_a_run_that_an_error_ended_is_left_out_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The copier cannot answer a conversation, and says so before anything is proposed.
    broken = bench(tmp_path / "broken", '["opro:serializer=chat", "opro:serializer=moves", "gaussian"]', 60)
    found = table(capsys, "gaussian", broken)
    assert "opro:serializer=chat" not in found and found["opro:serializer=moves"][2]
    assert found[""][0].startswith("Left out, opro:serializer=chat: 4 runs cut short, the first by: ")
    said = failure(capsys, "opro:serializer=chat", broken)
    assert "no run of opro:serializer=chat can be compared: 4 runs cut short" in said


def test_what_cannot_be_compared_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = bench(tmp_path / "out", '["gaussian", "quadratic"]', 60, settings="[3]")
    assert "no run of opro can be compared: there are runs of gaussian, quadratic" in failure(capsys, "opro", folder)
    assert "none" in failure(capsys, "opro", str(tmp_path / "none"))


def test_runs_that_come_twice_or_had_other_budgets_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = (bench(tmp_path / name, '["gaussian"]', 60, settings="[3]") for name in ("a", "b"))
    assert "two runs of gaussian on regression" in failure(capsys, "gaussian", one, other)
    short = bench(tmp_path / "c", '["quadratic"]', 20, settings="[3]")
    said = failure(capsys, "gaussian", one, short)
    assert "different budgets (60 evaluations; 20 evaluations)" in said


def test_a_control_is_not_compared_with_the_better_of_itself_and_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = bench(tmp_path, '["gaussian", "differential", "quadratic"]', 60)
    better = "the better of gaussian and differential in each setting"
    assert better in table(capsys, "quadratic", folder)
    assert better not in table(capsys, "gaussian", folder)


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), (["opro"], 2)])
def test_usage_is_said(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        paired.main(*arguments)
    shown = capsys.readouterr()
    assert ended.value.code == code and (shown.out + shown.err).startswith("usage: ")


def test_repeats_that_are_alike_change_nothing() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.uniform(50, 200, (2, 12))
    settings = [Setting((10, 11, 12), np.tile(pair, (3, 1))) for pair in zip(one, other, strict=True)]
    assert first_over_best(settings) == pytest.approx(geometric_ratio(one, other))


def test_repeats_with_which_all_settings_change_widen_the_interval() -> None:
    luck = np.array([0.5, 1.0, 2.0])
    spent = [np.column_stack([100 * luck, np.full(3, 100.0)]) for _ in range(20)]
    together = first_over_best([Setting((10, 11, 12), each) for each in spent])
    apart = first_over_best([Setting((3 * i, 3 * i + 1, 3 * i + 2), each) for i, each in enumerate(spent)])
    assert together[0] == apart[0] == pytest.approx(7 / 6)
    assert together[1:] == pytest.approx((0.5, 2.0)) and 0.9 < apart[1] < apart[2] < 1.4


def test_the_best_of_the_others_is_that_in_the_mean_of_each_setting() -> None:
    settings = [
        Setting((0, 1), np.array([[10.0, 20, 40], [10, 20, 40]])),
        Setting((0, 1), np.array([[10.0, 9, 1], [10, 90, 39]])),
    ]
    assert first_over_best(settings)[0] == pytest.approx(0.5)
