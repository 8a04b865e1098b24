"""What a distribution says of itself to a model."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from llmopt import Categorical, Float, Int, Vector
from llmopt.opro.distribution import Distribution, Shape
from llmopt.opro.in_words import PAIRS, in_words
from llmopt.space.relaxation import Relaxation
from support.strategies import vectors


def said(space: Vector, deviations: list[float], correlations: dict[tuple[int, int], float] | None = None) -> str:
    matrix = np.eye(len(deviations))
    for (i, j), value in (correlations or {}).items():
        matrix[i, j] = matrix[j, i] = value
    return in_words(space, Relaxation(space, 1.0), Shape(np.array(deviations), matrix))


def test_steps_are_in_the_users_units_and_factors_on_a_logarithmic_scale() -> None:
    space = Vector(x=Float(-5, 5), rate=Float(1, float(np.exp(2)), log=True), k=Int(0, 9))
    assert (
        said(space, [0.05, 0.5, 0.2]) == "a local search moves x by about 0.5, rate by a factor of 2.7 and k by about 2"
    )


def test_the_best_solution_is_named_by_its_numbers() -> None:
    space = Vector(x=Float(-5, 5), rate=Float(1e-6, 1, log=True), kind=Categorical("a", "b"))
    best = {"x": -1.23456, "rate": 2e-5, "kind": "b"}
    words = in_words(space, Relaxation(space, 1.0), Shape(np.ones(3), np.eye(3)), best)
    assert words.startswith("the best so far is at x = -1.23 and rate = 2e-05; a local search moves x by ")


def test_the_best_solution_has_digits_enough_beside_the_deviations() -> None:
    space = Vector(n=Int(10**6 - 200, 10**6 + 200), y=Float(0.999, 1.001))
    words = in_words(space, Relaxation(space, 1.0), Shape(np.full(2, 0.1), np.eye(2)), {"n": 1_000_044, "y": 0.9996237})
    assert words.startswith("the best so far is at n = 1000044 and y = 0.999624; ")


def test_strong_correlations_are_named_the_strongest_first() -> None:
    space = Vector(a=Float(0, 1), b=Float(0, 1), c=Float(0, 1))
    words = said(space, [0.1] * 3, {(0, 1): 0.75, (1, 2): -0.9, (0, 2): 0.5})
    assert words.endswith("; b rises as c falls; a and b rise together")


def test_choices_and_what_has_one_value_are_left_out() -> None:
    space = Vector(only=Int(3, 3), kind=Categorical("a", "b"), x=Float(0, 10))
    assert said(space, [0.5, 0.1], {(0, 1): 0.9}) == "a local search moves x by about 1"
    assert said(Vector(kind=Categorical("a", "b")), [0.5]) == ""


@given(vectors().filter(lambda space: Relaxation(space, 1.0).dimension > 0), st.integers(0, 9))
def test_it_stays_one_short_line(space: Vector, seed: int) -> None:
    relaxation = Relaxation(space, 1.0)
    search = Distribution(relaxation, relaxation.width / 2, 8, np.random.default_rng(seed))
    for _ in range(3):
        drawn = search.draw(8)
        search.tell(drawn.told, drawn.shown.sum(axis=1))
    words = in_words(space, relaxation, search.shape)
    assert "\n" not in words and "nan" not in words and words.count(";") <= PAIRS
