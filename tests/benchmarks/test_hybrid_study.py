"""The study of the hybrid compares it with its parts on the same instances, and gives hints that are what they say."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from llmopt.benchmarks.studies import hybrid
from llmopt.benchmarks.studies.hybrid import (
    CLASSICAL,
    HYBRID,
    MODEL,
    PARTS,
    SOLVERS,
    TARGETS,
    Row,
    better_part,
    false_hint,
    main,
    measure,
    needed,
    overall,
    ratio,
    table,
    true_hint,
)
from llmopt.errors import LlmoptError
from llmopt.llm.base import Request
from llmopt.problems.functions import NumericFunction
from support.models import FunctionLLM, obedient

SPHERE = NumericFunction("sphere", instance=3)


def rows(factor: float, instances: range = range(8), reached: int = TARGETS) -> list[Row]:
    """Return runs that need 10, 20, 30 ... evaluations for the targets, times a factor."""
    times = np.where(np.arange(TARGETS) < reached, 10.0 * factor * np.arange(1, TARGETS + 1), np.inf)
    return [Row("sphere 2", i, "a", 1_000, 0, times) for i in instances]


def test_a_true_hint_is_near_the_optimum_and_a_false_one_is_not() -> None:
    assert SPHERE.optimum is not None
    found = [
        np.array([float(value) for value in re.findall(r"= (\S+)", hint)])
        for hint in (true_hint(SPHERE), false_hint(SPHERE), false_hint(SPHERE))
    ]
    place = np.array(list(SPHERE.optimum.solution.values()))
    assert found[0] == pytest.approx(place, rel=0.06)
    assert np.abs(found[1] - place).max() > 0.1 and np.array_equal(found[1], found[2])


@pytest.mark.parametrize("solver", list(SOLVERS))
def test_a_run_reaches_easy_targets_before_hard_ones(solver: str) -> None:
    row = measure(SPHERE, "sphere 2", 3, solver, obedient(), per_variable=10)
    assert row.times.shape == (TARGETS,) and np.all(np.diff(row.times[np.isfinite(row.times)]) >= 0)
    assert row.evaluations <= 20 and (row.calls == 0) == (solver == CLASSICAL)


def test_a_run_that_an_error_has_cut_short_is_not_kept() -> None:
    def broken(request: Request, i: int) -> str:
        raise LlmoptError("out of order")

    with pytest.raises(LlmoptError, match="out of order"):
        measure(SPHERE, "sphere 2", 3, MODEL, FunctionLLM(broken), per_variable=10)


def test_a_ratio_is_that_of_expected_running_times() -> None:
    found = ratio(rows(2.0), rows(1.0))
    assert (found.value, found.low, found.high, found.targets) == pytest.approx((2.0, 2.0, 2.0, TARGETS))
    assert ratio(rows(1.0), rows(1.0, reached=3)).targets == 3
    assert ratio(rows(1.0, reached=0), rows(1.0)).value == np.inf
    assert ratio(rows(1.0), rows(1.0, range(20, 25))).targets == 0


def test_a_handful_of_instances_gives_no_interval() -> None:
    few, enough = (ratio(rows(2.0, range(count)), rows(1.0, range(count))) for count in (4, 5))
    assert few.value == pytest.approx(2.0) and few.low is few.high is None
    assert (enough.low, enough.high) == pytest.approx((2.0, 2.0))
    each = [replace(row, solver=solver) for solver in (HYBRID, *PARTS) for row in rows(1.0, range(4))]
    assert list(table(each))[2] == "| sphere 2 | 1.00 (10) | 1.00 (10) | 1.00 (10) |"


def test_a_resample_in_which_both_fail_may_be_any_ratio_but_none_below_zero() -> None:
    once = [
        replace(row, times=row.times if row.instance < 2 else np.full(TARGETS, np.inf)) for row in rows(1.0, range(5))
    ]
    found = ratio(once, once)
    assert (found.value, found.low, found.high) == (1.0, 0.0, np.inf)


def test_over_a_suite_a_target_that_was_not_reached_counts_with_what_was_spent() -> None:
    assert overall([(rows(2.0), rows(1.0))]) == pytest.approx((2.0, 2.0, 2.0))
    # One problem with a handful of instances, and nothing can be said of the spread of the suite.
    value, low, high = overall([(rows(2.0), rows(1.0)), (rows(2.0, range(4)), rows(1.0))])
    assert value == pytest.approx(2.0) and low is None and high is None
    never, last = rows(1.0, reached=0), rows(1.0, reached=9)
    assert needed(never[0]) == 1_000 and needed(last[0]) == pytest.approx((450 + 1_000) / 10)
    value, low, high = overall([(never, rows(1.0)), (rows(1.0), rows(1.0, range(3, 20)))])
    assert value == low == high == pytest.approx(np.sqrt(1_000 / 55))


def test_the_better_part_needs_fewer_evaluations_or_reaches_more() -> None:
    assert better_part({CLASSICAL: rows(1.0), MODEL: rows(2.0)}) == CLASSICAL
    assert better_part({CLASSICAL: rows(2.0), MODEL: rows(1.0)}) == MODEL
    assert better_part({CLASSICAL: rows(1.0, reached=0), MODEL: rows(9.0)}) == MODEL


def test_a_copier_in_place_of_the_model_gets_no_hint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(tmp_path / "found.csv"), "copier", "--repeats", "1", "--evaluations", "10"])
    shown = capsys.readouterr().out
    assert "| hartmann6 | " in shown and "hint" not in shown


def test_what_is_in_the_file_is_not_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hybrid, "connect", lambda spec: obedient())
    monkeypatch.setattr(hybrid, "SUITES", {"functions": [("function", {"name": "branin"})]})
    arguments = [str(tmp_path / "found.csv"), "--repeats", "2", "--evaluations", "10"]
    main(arguments)
    shown = capsys.readouterr().out
    assert "| branin | " in shown and "hybrid / the better of both: geometric mean" in shown

    def never(*given: object) -> Row:
        raise AssertionError("it is known")

    monkeypatch.setattr(hybrid, "measure", never)
    main(arguments)
    assert capsys.readouterr().out == shown


def test_a_study_of_some_problems_runs_those_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(tmp_path / "found.csv"), "copier", "--repeats", "1", "--evaluations", "10"]
    main([*arguments, "--problems", "branin,sphere 2"])
    shown = capsys.readouterr().out
    assert "| branin | " in shown and "| sphere 2 | " in shown and "hartmann6" not in shown
    with pytest.raises(SystemExit):
        main([*arguments, "--problems", "branin 2"])
    assert "no problem 'branin 2' in functions; there are sphere 2," in capsys.readouterr().err


def test_runs_of_another_budget_are_not_shown_as_those_of_this_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(tmp_path / "found.csv"), "copier", "--repeats", "1", "--problems", "branin"]
    main([*arguments, "--evaluations", "10"])
    for other in (["--evaluations", "20"], ["--suite", "bbob", "--problems", "1 3", "--evaluations", "10"]):
        with pytest.raises(SystemExit):
            main([*arguments, *other])
        assert "is of study=hybrid,suite=functions,model=copier,evaluations=10, not" in capsys.readouterr().err
