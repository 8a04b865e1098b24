"""A tour in a terminal."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from llmopt.report.sketch import sketch

POINTS = st.integers(3, 20).flatmap(lambda n: arrays(float, (n, 2), elements=st.floats(-1e6, 1e6, width=32)))


@given(POINTS, st.integers(1, 60), st.integers(1, 20))
def test_it_fits_and_holds_braille_alone(
    points: np.ndarray[tuple[int, int], np.dtype[np.float64]], c: int, r: int
) -> None:
    lines = sketch(points, np.arange(len(points)), columns=c, rows=r)
    assert len(lines) == r and len({len(line) for line in lines}) == 1 and len(lines[0]) <= c
    assert all(0x2800 <= ord(mark) <= 0x28FF for line in lines for mark in line)
    assert any(ord(mark) > 0x2800 for line in lines for mark in line)


@given(POINTS, st.randoms())
def test_it_does_not_depend_on_where_the_tour_begins(
    points: np.ndarray[tuple[int, int], np.dtype[np.float64]], random: object
) -> None:
    order = np.arange(len(points))
    assert sketch(points, np.roll(order, 1)) == sketch(points, order)
