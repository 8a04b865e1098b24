"""How sure an accuracy is, against SciPy and against definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from llmopt.problems.prompt.significance import holm, mcnemar, wilson

probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=12).map(np.array)


@given(st.integers(1, 2_000), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilsons_interval_is_scipys(count: int, share: float, level: float) -> None:
    right = round(share * count)
    expected = binomtest(right, count).proportion_ci(level, method="wilson")
    assert wilson(right, count, level) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(st.integers(1, 500), st.floats(0, 1))
def test_wilsons_interval_holds_the_accuracy_and_stays_between_0_and_1(count: int, share: float) -> None:
    low, high = wilson(share * count, count)
    assert 0 <= low <= share + 1e-12 and share - 1e-12 <= high <= 1 and low < high


pairs = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0])), min_size=1, max_size=80)


@given(pairs)
def test_mcnemars_test_is_the_exact_one_on_the_examples_that_differ(found: list[tuple[float, float]]) -> None:
    a, b = np.array(found).T
    first, second = found.count((1.0, 0.0)), found.count((0.0, 1.0))
    expected = binomtest(first, first + second, 0.5).pvalue if first + second else 1.0
    assert mcnemar(a, b) == pytest.approx(expected) == pytest.approx(mcnemar(b, a))
    assert 0 < mcnemar(a, b) <= 1


@given(pairs, st.integers(0, 50))
def test_examples_that_both_answer_alike_make_no_difference(found: list[tuple[float, float]], more: int) -> None:
    a, b = np.array(found + [(1.0, 1.0)] * more + [(0.0, 0.0)] * more).T
    assert mcnemar(a, b) == mcnemar(*np.array(found).T)


def test_no_difference_is_no_evidence() -> None:
    assert mcnemar(np.ones(9), np.ones(9)) == 1.0
    assert mcnemar(np.array([0.3, 0.9]), np.array([0.2, 1.0])) == 1.0
    assert mcnemar(np.ones(10), np.zeros(10)) == pytest.approx(2 / 2**10)


@given(probabilities)
def test_holms_p_values_are_those_of_their_definition(p: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    m = len(p)
    ordered = sorted(p.tolist())
    expected = [max(min(1.0, (m - j) * ordered[j]) for j in range(ordered.index(value) + 1)) for value in p.tolist()]
    # Of equal values the last in order would have the smallest factor, but the maximum makes them the same.
    assert holm(p) == pytest.approx(np.array(expected))


@given(probabilities, st.randoms(use_true_random=False))
def test_holms_p_values_keep_the_order_and_depend_on_none(
    p: np.ndarray[tuple[int], np.dtype[np.float64]], random: object
) -> None:
    found = holm(p)
    assert (found >= p).all() and (found <= 1).all()
    order = np.argsort(p, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    mixed = np.random.default_rng(len(p)).permutation(len(p))
    assert holm(p[mixed]) == pytest.approx(found[mixed])
