"""Vectors as moves from one of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import Categorical, Float, Int, Vector
from llmopt.errors import DecodeError
from llmopt.opro.move_codec import REACH, MoveCodec, moves_from
from support.strategies import vectors

PAIRS = Vector(w=Int(-50, 50), b=Int(-50, 50))


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


def test_moves_beyond_the_bounds_are_not_read_and_the_ends_can_be_reached() -> None:
    space = Vector(x=Float(0, 1))
    codec = MoveCodec(space, {"x": 0.5}, [0.3])
    assert [codec.decode(f"x={k}").solution["x"] for k in (-2, -1, 1, 2)] == [0.0, 0.2, 0.8, 1.0]
    with pytest.raises(DecodeError, match="outside"):
        codec.decode("x=3")


def test_moves_between_others_may_lead_out_of_the_space() -> None:
    codec = MoveCodec(PAIRS, {"w": 50, "b": 0}, [1, 1])
    assert codec.moves(PAIRS.pack([{"w": -50, "b": 3}]), PAIRS.pack([{"w": 40, "b": 1}])) == ["w=90 b=-2"]


def test_the_opposite_order_is_the_same_solution() -> None:
    codec = moves_from(PAIRS, {"w": 1, "b": 2}, PAIRS.pack([{"w": 4, "b": -6}]))
    assert codec.reversed().encode({"w": 4, "b": -6}) == "b=-8 w=3"
    assert codec.reversed().decode("b=-8 w=3").solution == {"w": 4, "b": -6}


def test_where_nothing_differs_the_whole_range_is_within_reach() -> None:
    space = Vector(x=Float(0, 1), one=Int(3, 3))
    codec = moves_from(space, {"x": 0.0, "one": 3}, space.pack([{"x": 0.0, "one": 3}]))
    assert codec.encode({"x": 1.0, "one": 3}) == f"x={REACH} one=3"
