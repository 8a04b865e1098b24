"""The targets of a problem, and how many of them solvers reach."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import Int, Vector
from llmopt.benchmarks.results import by_problem
from llmopt.benchmarks.targets import COCO, COUNT, choose_targets, profile, tolerance
from support.traces import SPACE, trace

INTEGERS = Vector(w=Int(0, 9))
losses = st.lists(st.floats(0, 1e6) | st.just(math.nan), min_size=1, max_size=8)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_with_cocos_tolerance_the_targets_are_cocos() -> None:
    runs = [
        trace("a", [5.0, 3.0], instance=i, tolerance=1e-8, optimum=optimum) for i, optimum in enumerate([0.0, 394.5])
    ]
    targets = choose_targets(runs)
    np.testing.assert_allclose(targets.gaps, 10 ** np.arange(2, -8.1, -0.2))
    assert targets.gaps is COCO and len(COCO) == COUNT


def test_else_they_go_from_the_gap_of_the_starts_to_the_tolerance() -> None:
    runs = [
        trace("a", [30.0, 10.0, 20.0, 7.0], steps=[0, 0, 0, 1], tolerance=0.5),
        trace("b", [107.0, 103.0, 100.2], instance=1, optimum=100.0, steps=[0, 0, 1], tolerance=0.5),
    ]
    targets = choose_targets(runs)
    assert targets.gaps[[0, -1]] == pytest.approx([12.5, 0.5])
    assert len(set(np.round(np.diff(np.log(targets.gaps)), 12))) == 1
    assert targets.references == {0: 0.0, 1: 100.0}
    assert targets.describe() == "51 gaps from 12.5 to 0.5 above the optimum"


def test_in_a_finite_space_none_lies_between_the_best_two_losses_but_the_problems_own() -> None:
    runs = [trace("a", [900.0, 400.0, 150.0, 47.0], optimum=47.0, tolerance=1e-9, space=INTEGERS)]
    gaps = choose_targets(runs).gaps
    assert gaps[[0, -2, -1]] == pytest.approx([853, 103, 1e-9])


def test_rounding_makes_no_targets() -> None:
    runs = [trace("a", [900.0, 47.0 + 1e-11, 47.0], optimum=47.0, tolerance=0.0, space=INTEGERS)]
    assert choose_targets(runs).gaps[-2] == pytest.approx(853)


def test_without_an_optimum_gaps_are_those_to_the_best_loss_that_any_run_has_seen_and_that_is_said() -> None:
    runs = [
        trace("a", [9.0, 5.0, 3.0], optimum=None),
        trace("b", [9.0, 4.0], optimum=None),
        trace("b", [-1.0, -2.0], optimum=None, instance=1),
    ]
    targets = choose_targets(runs)
    assert targets.references == {0: 3.0, 1: -2.0}
    assert targets.gaps[-2:] == pytest.approx([1, 0])
    assert "the optimum is not known" in targets.describe()


def test_one_unknown_optimum_is_enough_for_gaps_of_one_kind() -> None:
    targets = choose_targets([trace("a", [9.0, 5.0]), trace("a", [9.0, 5.0], optimum=None, instance=1)])
    assert targets.references == {0: 5.0, 1: 5.0} and not targets.optimal


def test_a_run_without_a_single_evaluation_changes_no_target() -> None:
    runs = [trace("a", [9.0, 5.0]), trace("b", [], optimum=None)]
    targets = choose_targets(runs)
    assert targets.optimal and targets.gaps.tolist() == choose_targets(runs[:1]).gaps.tolist()
    assert np.isinf(targets.times(runs)[0][1]).all()


def test_nothing_is_reached_where_nobody_has_a_score() -> None:
    runs = [trace("a", [math.nan, math.nan], optimum=None), trace("a", [5.0, 1.0], optimum=None, instance=1)]
    times, spent = choose_targets(runs).times(runs)
    assert np.isinf(times[0]).all() and np.isfinite(times[1]).all()
    assert spent.tolist() == [2, 2]


@given(st.lists(losses, min_size=1, max_size=4), st.sampled_from([0.0, 1e-8, 0.01, 5.0]), st.booleans(), st.booleans())
def test_targets_are_from_easy_to_hard_and_none_is_below_the_one_at_which_a_run_ends(
    runs: list[list[float]], tolerance: float, known: bool, finite: bool
) -> None:
    space = INTEGERS if finite else SPACE
    optimum = 0.0 if known else None
    traces = [
        trace("a", losses, instance=i, optimum=optimum, tolerance=tolerance, space=space)
        for i, losses in enumerate(runs)
    ]
    targets = choose_targets(traces)
    assert targets.gaps.shape == (COUNT,)
    assert (np.diff(targets.gaps) <= 1e-9 * targets.gaps[0]).all() and (targets.gaps >= 0).all()
    times, _ = targets.times(traces)
    for run, reached in zip(traces, times, strict=True):
        if run.target is not None:
            assert (targets.losses(run) >= run.target).all()
        if run.record.success:
            assert np.isfinite(reached).all() and reached[-1] <= run.record.evaluations


def test_the_target_of_a_success_is_the_last_one_to_the_last_bit() -> None:
    runs = [
        trace("a", [9.0, 0.1 + 0.2], optimum=0.1, tolerance=0.2),
        trace("a", [9.0, 0.31], optimum=0.1, tolerance=0.2),
    ]
    times, _ = choose_targets(runs).times(runs)
    assert times[:, -1].tolist() == [2, math.inf]


def test_the_tolerance_of_a_run_is_that_of_its_target() -> None:
    run = trace("a", [9.0], optimum=2.0, tolerance=0.5)
    assert (tolerance(run, 2.0), tolerance(run, -math.inf)) == (0.5, 0.0)
    assert tolerance(trace("a", [9.0], optimum=None), 2.0) == 0.0


def test_losses_count_whatever_the_direction() -> None:
    up, down = (trace("a", [9.0, 5.0, 0.0], optimum=-1.0, tolerance=0.5, maximize=m) for m in (True, False))
    assert up.target == down.target == -0.5
    assert choose_targets([up]).times([up])[0].tolist() == choose_targets([down]).times([down])[0].tolist()


def test_a_profile_holds_every_problem() -> None:
    runs = [
        trace("a", [9.0, 0.0], problem="easy"),
        trace("a", [9.0, 8.5, 8.0], problem="hard"),
        trace("b", [9.0, 0.0], problem="hard"),
    ]
    targets = {problem: choose_targets(listed) for problem, listed in by_problem(runs).items()}
    shares = profile(runs[:2], targets, np.array([1, 2, 1000]), rng())
    # Both start at the first target of each; 9 to 8 is little of the way to 0.01 on a logarithmic scale.
    assert shares[0] == pytest.approx(2 / 102)
    assert 0.5 + 1 / 102 <= shares[1] <= shares[2] < 0.53
    assert profile(runs[2:], {"hard": targets["hard"]}, np.array([2]), rng()).tolist() == [1.0]
