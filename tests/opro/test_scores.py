"""How scores are shown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import InvalidInput
from llmopt.opro.scores import LEVELS, shown_losses

falling = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20).map(lambda xs: np.array(sorted(xs)[::-1]))


@given(falling)
def test_rescaled_scores_fall_with_the_loss_and_end_above_the_target(losses: np.ndarray) -> None:
    shown, target = shown_losses(losses, "rescaled")
    values = [int(s) for s in shown]
    assert values == sorted(values, reverse=True)
    assert values[0] <= LEVELS and values[-1] > int(target) == 0


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=20), st.integers(-1000, 1000), st.integers(0, 6))
def test_rescaled_scores_do_not_depend_on_offset_and_unit(values: list[int], offset: int, power: int) -> None:
    losses = np.array(sorted(values)[::-1], dtype=float)
    moved = shown_losses(losses * 2.0**power + offset, "rescaled")[0]
    assert np.abs(np.array(moved, dtype=int) - np.array(shown_losses(losses, "rescaled")[0], dtype=int)).max() <= 1


@given(falling)
def test_ranks_run_down_to_one(losses: np.ndarray) -> None:
    assert shown_losses(losses, "ranked") == ([str(k) for k in range(len(losses), 0, -1)], "0")


def test_rounded_scores_are_the_losses_and_the_target_is_better_on_either_side_of_zero() -> None:
    assert shown_losses(np.array([900.4, 100.6]), "rounded") == (["900", "101"], "50")
    shown, target = shown_losses(np.array([2.0, -3.25]), "rounded", 2)
    assert shown == ["2.00", "-3.25"] and float(target) < -3.25
    assert shown_losses(np.array([1e300]), "rounded")[0] == ["1.000e+300"]


@given(st.sampled_from([1e308, -1e308, 5e-324, 0.0]))
def test_extreme_and_equal_losses_are_shown_too(value: float) -> None:
    for losses in (np.array([value]), np.array([value, value]), np.array([1e308, value, -1e308])):
        for form in ("rounded", "rescaled", "ranked", "shuffled", "hidden"):
            shown, _ = shown_losses(np.sort(losses)[::-1], form)
            assert len(shown) == len(losses)


def test_an_outlier_does_not_put_all_others_on_one_level() -> None:
    shown, target = shown_losses(np.array([1e6, 900.0, 80.0, 12.0, 3.0]), "rescaled")
    assert len(set(shown)) == 5 and int(shown[-1]) > int(target)


def test_as_many_decimals_are_shown_as_tell_scores_apart() -> None:
    assert shown_losses(np.array([-0.01, -0.02, -0.029]), "rounded", None)[0] == ["-0.0100", "-0.0200", "-0.0290"]
    assert shown_losses(np.array([9000.4, 47.2]), "rounded", None)[0] == ["9000", "47"]
    assert shown_losses(np.array([-0.3]), "rounded", 0)[0] == ["0"]


def test_without_any_loss_nothing_is_shown() -> None:
    assert shown_losses(np.empty(0), "rescaled") == ([], "0")


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(InvalidInput, match="rounded, rescaled, ranked, shuffled or hidden"):
        shown_losses(np.array([1.0]), "loud")  # type: ignore[arg-type]
