"""CMA-ES with solutions of others: what they may do to it, and what it does on its own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import Categorical, Float, Int, Vector
from llmopt.opro.distribution import FEWEST, MOST, Distribution
from llmopt.space.relaxation import Relaxation
from support.strategies import vectors

PLANE = Vector(x=Float(-5, 5), y=Float(0, 1))
free = vectors().filter(lambda space: Relaxation(space, 1.0).dimension > 0)


def begin(space: Vector, batch: int = 8, seed: int = 0) -> tuple[Relaxation, Distribution]:
    relaxation = Relaxation(space, 1.0)
    return relaxation, Distribution(relaxation, relaxation.width / 2, batch, np.random.default_rng(seed))


def advance(relaxation: Relaxation, search: Distribution, steps: int, aim: float = 0.3, batch: int = 8) -> float:
    """Let it minimize the distance from a point; return the smallest."""
    best = np.inf
    for _ in range(steps):
        drawn = search.draw(batch)
        losses = np.linalg.norm(drawn.shown - aim * relaxation.width, axis=1)
        best = min(best, float(losses.min()))
        search.tell(drawn.told, losses)
    return best


@given(free, st.integers(0, 99))
def test_what_it_draws_stands_for_solutions_which_come_back(space: Vector, seed: int) -> None:
    relaxation, search = begin(space, seed=seed)
    advance(relaxation, search, 5)
    shown = search.draw(8).shown
    columns = relaxation.columns(shown)
    assert space.member_mask(columns).all()
    finite = relaxation.step > 0
    assert np.allclose(relaxation.points(columns)[:, finite], np.clip(shown, 0, relaxation.width)[:, finite], atol=0.51)


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=8), st.integers(0, 5))
def test_an_injected_point_is_clipped_to_the_reach_along_its_own_direction(
    found: list[tuple[float, float]], steps: int
) -> None:
    relaxation, search = begin(PLANE)
    advance(relaxation, search, steps)
    points = np.array(found)
    told = search.injected(points)
    before, after = search.distances(points), search.distances(told)
    assert after == pytest.approx(np.minimum(before, search.reach), rel=1e-6, abs=1e-9)
    near = before <= search.reach
    assert told[near] == pytest.approx(points[near])


def test_a_far_point_does_not_tear_it_apart() -> None:
    _, search = begin(PLANE)
    before = search.shape.deviations
    drawn = search.draw(7)
    far = np.array([[1e6, -1e6]])
    search.tell(np.vstack([search.injected(far), drawn.told]), np.array([0.0, *range(1, 8)]))
    assert np.all(search.shape.deviations < 3 * before)


def test_good_points_of_another_source_draw_it_to_them() -> None:
    relaxation, search = begin(PLANE)
    goal = np.array([[0.9, 0.9]])
    before = float(search.distances(goal)[0])
    for _ in range(4):
        drawn = search.draw(6)
        points = np.vstack([search.injected(goal), search.injected(goal), drawn.told])
        search.tell(points, np.array([0.0, 0.0, *range(1, 7)]))
    assert before > 1.4
    assert np.linalg.norm(goal - search.draw(50).told.mean(axis=0)) < 0.3 < np.linalg.norm(goal - relaxation.width / 2)


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_it_converges_whatever_the_batch(batch: int) -> None:
    relaxation, search = begin(PLANE, batch)
    assert advance(relaxation, search, 800 // batch, batch=batch) < 1e-3


def test_it_learns_which_variables_go_together() -> None:
    _, search = begin(PLANE)
    for _ in range(40):
        drawn = search.draw(8)
        x, y = drawn.shown.T
        search.tell(drawn.told, (x + y - 1) ** 2 + 1e-4 * (x - y) ** 2)
    assert search.shape.correlations[0, 1] < -0.8
    assert np.diag(search.shape.correlations) == pytest.approx(1)


def test_whole_numbers_and_choices_do_not_freeze() -> None:
    space = Vector(k=Int(0, 9), kind=Categorical("a", "b", "c"), x=Float(0, 1))
    relaxation, search = begin(space)
    advance(relaxation, search, 60)
    columns = relaxation.columns(search.draw(400).shown)
    assert len(set(columns["k"].tolist())) > 1 and len(set(columns["kind"].tolist())) > 1


def test_where_it_has_converged_it_begins_again_with_twice_the_population() -> None:
    _, search = begin(PLANE, batch=8)
    sizes = []
    for _ in range(700):
        search.tell(search.draw(8).told, np.ones(8))
        sizes.append(search.population)
    assert sizes[0] == 8 and sizes == sorted(sizes) and 16 in sizes


def test_the_population_has_bounds() -> None:
    _, search = begin(PLANE, batch=1)
    assert search.population == FEWEST
    for _ in range(20):
        search.restart()
    assert search.population == MOST
    assert begin(PLANE, batch=5000)[1].population == 5000


@given(free, st.integers(0, 9))
def test_a_run_is_a_function_of_its_generator(space: Vector, seed: int) -> None:
    draws = []
    for _ in range(2):
        relaxation, search = begin(space, seed=seed)
        advance(relaxation, search, 3)
        search.restart()
        draws.append(search.draw(4).told)
    assert np.array_equal(draws[0], draws[1])
