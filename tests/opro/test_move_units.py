"""The units and slopes that moves are counted in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import Categorical, Float, Int, Vector
from llmopt.opro.move_codec import MoveCodec, is_moved, step_of
from llmopt.opro.move_units import REACH, moves_from
from llmopt.space import Variable
from support.strategies import vectors

PAIRS = Vector(w=Int(-50, 50), b=Int(-50, 50))
VALLEY = [{"w": w, "b": 20 - 4 * w + noise} for w, noise in enumerate([1, -1, 0, 2, -2, 0, 1, -1, 2, 0, -2], -5)]


def drawn(space: Vector, seed: int, n: int = 8) -> tuple[MoveCodec, list[dict[str, Any]]]:
    columns = space.sample(n, np.random.default_rng(seed))
    solutions = [space.row(columns, i) for i in range(n)]
    return moves_from(space, solutions[0], columns), solutions


@given(vectors(), st.integers(0, 999))
def test_the_origin_is_read_to_the_last_bit(space: Vector, seed: int) -> None:
    codec, (origin, *_) = drawn(space, seed)
    assert codec.decode(codec.encode(origin)).solution == origin


@given(vectors(), st.integers(0, 999))
def test_solutions_are_read_as_members_and_written_the_same_again(space: Vector, seed: int) -> None:
    codec, solutions = drawn(space, seed)
    for solution in solutions:
        text = codec.encode(solution)
        read = codec.decode(text).solution
        assert space.contains(read) and text.startswith(codec.lead) and len(text) <= codec.longest
        assert codec.decode(codec.encode(read)).solution == read


@given(st.integers(0, 999))
def test_whole_numbers_within_reach_are_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low = rng.integers(-50, 50 - REACH, size=2)
    solutions = [{"w": int(w), "b": int(b)} for w, b in rng.integers(low, low + REACH, size=(9, 2))]
    codec = moves_from(PAIRS, solutions[3], PAIRS.pack(solutions))
    assert [codec.decode(codec.encode(s)).solution for s in solutions] == solutions
    assert codec.encode(solutions[3]) == "w=0 b=0"


def test_units_are_round_and_follow_the_spread() -> None:
    space = Vector(x=Float(-5, 5), rate=Float(1e-4, 1, log=True), k=Int(0, 1000, step=5), kind=Categorical("a", "b"))
    origin = {"x": 1.0, "rate": 0.01, "k": 500, "kind": "a"}
    near = {"x": 1.0013, "rate": 0.011, "k": 520, "kind": "b"}
    codec = moves_from(space, origin, space.pack([near]))
    assert codec.encode(near) == "x=13 rate=19 k=4 kind=b"
    assert codec.decode("x=-2 rate=0 k=-1 kind=b").solution == {"x": 0.9998, "rate": 0.01, "k": 495, "kind": "b"}


@given(vectors(), st.integers(0, 99), st.integers(0, 60))
def test_units_get_finer_one_by_one_down_to_a_step(space: Vector, seed: int, finer: int) -> None:
    columns = space.sample(8, np.random.default_rng(seed))
    coarse, next_one, finest = (
        moves_from(space, space.row(columns, 0), columns, finer=i).units for i in (finer, finer + 1, 60)
    )
    for i, variable in enumerate(space.variables.values()):
        if is_moved(variable):
            assert coarse[i] == next_one[i] or 1.9 < coarse[i] / next_one[i] < 2.6
            assert finest[i] == step_of(variable) if step_of(variable) else finest[i] <= 1e-11 * np.ptp(variable.box)


def test_where_nothing_differs_the_whole_range_is_within_reach() -> None:
    space = Vector(x=Float(0, 1), one=Int(3, 3))
    codec = moves_from(space, {"x": 0.0, "one": 3}, space.pack([{"x": 0.0, "one": 3}]))
    assert codec.encode({"x": 1.0, "one": 3}) == f"x={REACH} one=3"


@pytest.mark.parametrize(
    ("variable", "values", "expected"),
    [(Float(0, 1), [0.5, 0.5, 0.52, 0.9], 0.52), (Int(0, 1000), [7, 7, 10, 900], 12)],
)
def test_where_the_best_do_not_differ_the_unit_is_the_least_distance_of_the_others(
    variable: Variable, values: list[float], expected: float
) -> None:
    space = Vector(x=variable)
    codec = moves_from(space, {"x": values[0]}, space.pack([{"x": value} for value in values]), near=2)
    assert codec.decode("x=1").solution == {"x": expected}


def test_a_move_along_a_valley_is_a_move_of_the_first_variable() -> None:
    ahead = moves_from(PAIRS, {"w": 0, "b": 20}, PAIRS.pack(VALLEY))
    reached = ahead.decode("w=3 b=0").solution
    assert reached["w"] == 3 and abs(reached["b"] - 8) <= 3
    back = moves_from(PAIRS, {"w": 0, "b": 20}, PAIRS.pack(VALLEY), order=["b", "w"])
    assert abs(back.decode("b=-3 w=0").solution["b"] - (20 - 4 * back.decode("b=-3 w=0").solution["w"])) <= 3


@given(st.permutations(range(len(VALLEY))))
def test_nothing_depends_on_the_order_of_the_solutions(places: list[int]) -> None:
    one = moves_from(PAIRS, {"w": 0, "b": 20}, PAIRS.pack(VALLEY))
    other = moves_from(PAIRS, {"w": 0, "b": 20}, PAIRS.pack([VALLEY[i] for i in places]))
    assert [one.encode(s) for s in VALLEY] == [other.encode(s) for s in VALLEY]


def test_signs_turn_directions_and_nothing_else() -> None:
    ahead = moves_from(PAIRS, {"w": 0, "b": 20}, PAIRS.pack(VALLEY))
    turned = moves_from(PAIRS, {"w": 0, "b": 20}, PAIRS.pack(VALLEY), signs=[-1, 1])
    assert ahead.decode("w=3 b=2").solution == turned.decode("w=-3 b=2").solution


@given(st.floats(0.1, 0.9), st.integers(3, 40), st.integers(0, 999), st.booleans())
def test_a_variable_in_which_nothing_differs_moves_none_and_is_moved_by_none(
    same: float, n: int, seed: int, rounded: bool
) -> None:
    space = Vector(x=Float(0, 1), y=Float(-1e20, 1e20), z=Float(-5, 5))
    columns = space.sample(n, np.random.default_rng(seed))
    columns["x"] = np.full(n, same)
    # Two that are a rounding apart are the same, too.
    columns["x"][0] = np.nextafter(same, 1) if rounded else same
    origin = space.row(columns, 0)
    for order in (["x", "y", "z"], ["z", "y", "x"]):
        codec = moves_from(space, origin, columns, order=order)
        moved = codec.decode(" ".join(f"{name}={int(name == 'x')}" for name in order)).solution
        assert (moved["y"], moved["z"]) == (origin["y"], origin["z"])
        ahead = codec.decode(" ".join(f"{name}={int(name == 'z')}" for name in order)).solution
        assert ahead["x"] == origin["x"]
