"""The continuous relaxation: every value has its part of the box, and comes back as it was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import Categorical, Float, Int, Vector, minimize
from llmopt.space.relaxation import Relaxation
from support.strategies import vectors

fractions = st.sampled_from([0.1, 0.01])


@given(vectors(), fractions, st.integers(0, 99))
def test_points_in_and_around_the_box_stand_for_members(space: Vector, fraction: float, seed: int) -> None:
    relaxation, rng = Relaxation(space, fraction), np.random.default_rng(seed)
    points = np.vstack([relaxation.uniform(20, rng), 1e3 * rng.standard_normal((5, relaxation.dimension))])
    assert space.member_mask(relaxation.columns(points)).all()


@given(vectors(), fractions, st.integers(0, 99))
def test_an_anchored_solution_comes_back_to_the_last_bit(space: Vector, fraction: float, seed: int) -> None:
    relaxation = Relaxation(space, fraction)
    columns = space.sample(6, np.random.default_rng(seed))
    points = relaxation.points(columns)
    relaxation.anchor(points, columns)
    assert list(space.keys(relaxation.columns(points + 1e-14))) == list(space.keys(columns))


@given(vectors().filter(lambda v: v.size is not None), fractions, st.integers(0, 99))
def test_discrete_solutions_come_back_without_an_anchor(space: Vector, fraction: float, seed: int) -> None:
    relaxation = Relaxation(space, fraction)
    columns = space.sample(6, np.random.default_rng(seed))
    again = relaxation.columns(relaxation.points(columns))
    assert [space.row(again, i) for i in range(6)] == [space.row(columns, i) for i in range(6)]


def test_every_value_owns_an_equal_part_of_the_box() -> None:
    space = Vector(k=Int(1, 4), share=Float(0, 1.2, step=0.25), kind=Categorical("a", "b"))
    relaxation = Relaxation(space, 0.1)
    points = np.linspace(0, 1, 2000, endpoint=False)[:, None] * relaxation.width
    columns = relaxation.columns(points)
    for name, count in (("k", 4), ("share", 5), ("kind", 2)):
        _, owned = np.unique(columns[name], return_counts=True)
        assert owned.tolist() == pytest.approx([2000 / count] * count, abs=1)


def test_a_unit_is_a_share_of_the_range_and_a_whole_number_of_steps() -> None:
    space = Vector(x=Float(0, 50), k=Int(0, 100), bit=Int(0, 1), log=Float(1, 100, log=True), only=Int(3, 3))
    relaxation = Relaxation(space, 0.1)
    assert relaxation.dimension == 4
    assert relaxation.width.tolist() == pytest.approx([10, 10.1, 2, 10])
    assert relaxation.step.tolist() == relaxation.lattice.tolist() == pytest.approx([0, 0.1, 1, 0])


def test_whole_numbers_on_a_logarithmic_scale_lie_on_no_lattice() -> None:
    relaxation = Relaxation(Vector(n=Int(1, 1000, log=True), k=Int(1, 1000)), 1.0)
    assert relaxation.step[0] > 0 and relaxation.lattice.tolist() == pytest.approx([0.0, 0.001])


@pytest.mark.parametrize(
    "narrow", [Float(1e300, float(np.nextafter(1e300, np.inf)), log=True), Float(0, 5e-324), Float(5e-324, 1e-323)]
)
def test_a_range_too_narrow_for_a_unit_is_left_out_and_what_lies_beside_it_is_searched(narrow: Float) -> None:
    space = Vector(x=narrow, y=Float(0, 1))
    relaxation = Relaxation(space, 0.1)
    assert relaxation.names == ["y"] and relaxation.width.tolist() == pytest.approx([10])
    columns = relaxation.columns(np.array([[2.5], [99.0]]))
    assert columns["y"].tolist() == [0.25, 1.0] and space.member_mask(columns).all()
    result = minimize(lambda s: s["y"], space, solver="nelder-mead", max_evaluations=20, seed=0)
    assert result.stop_reason == "evaluations" and result.fun < 0.1
