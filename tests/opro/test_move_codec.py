"""Vectors as moves from one of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import Categorical, Float, Int, Vector
from llmopt.errors import DecodeError
from llmopt.opro.move_codec import MoveCodec
from support.strategies import vectors

PAIRS = Vector(w=Int(-50, 50), b=Int(-50, 50))


@given(vectors(), st.integers(0, 999))
def test_what_a_codec_writes_of_a_member_it_reads_as_one(space: Vector, seed: int) -> None:
    rng = np.random.default_rng(seed)
    origin, solution = space.solutions(space.sample(2, rng))
    units = np.ptp(space.box, axis=1) / rng.choice([-300, -7, 5, 1000], len(space.variables)) + 1e-9
    codec = MoveCodec(space, origin, units, slopes=np.tril(rng.normal(size=(len(units),) * 2), -1))
    for member in (origin, solution):
        text = codec.encode(member)
        assert space.contains(codec.decode(text).solution) and len(text) <= codec.longest
    assert codec.decode(codec.encode(origin)).solution == origin


@given(st.integers(0, 999))
def test_every_text_is_read_as_where_it_leads(seed: int) -> None:
    rng = np.random.default_rng(seed)
    space = Vector(k=Int(0, 9, step=3), x=Float(0, 1), c=Categorical("a", "b c"))
    slopes = np.zeros((3, 3))
    slopes[1, 0] = rng.uniform(-0.1, 0.1)
    codec = MoveCodec(space, space.row(space.sample(1, rng), 0), [rng.choice([-3, 3]), 0.3, 1], slopes=slopes)
    texts, solutions = zip(*codec.every(), strict=True)
    assert len(set(texts)) == codec.count
    assert [codec.decode(text).solution for text in texts] == list(solutions)


def test_a_negative_unit_counts_backwards() -> None:
    codec = MoveCodec(PAIRS, {"w": 1, "b": 2}, [1, -2])
    assert codec.encode({"w": 4, "b": -6}) == "w=3 b=4"
    assert codec.decode("w=0 b=-1").solution == {"w": 1, "b": 4}


def test_a_variable_goes_along_with_those_before_it_from_where_they_really_end() -> None:
    codec = MoveCodec(PAIRS, {"w": 40, "b": 0}, [1, 1], slopes=np.array([[0.0, 0.0], [-2.0, 0.0]]))
    assert codec.decode("w=3 b=1").solution == {"w": 43, "b": -5}
    # Not to 55, and so not b by -30.
    assert codec.decode("w=10 b=0").solution == {"w": 50, "b": -20}


@given(st.floats(-3, 3), st.integers(0, 99))
def test_all_moves_are_multiplied_and_rounded_by_chance_within_half_a_step(factor: float, seed: int) -> None:
    codec = MoveCodec(PAIRS, {"w": 0, "b": 0}, [1, 1])
    start, end = PAIRS.pack([{"w": 1, "b": 2}] * 50), PAIRS.pack([{"w": 4, "b": -6}] * 50)
    moves = [text.split() for text in codec.moves(start, end, factor, np.random.default_rng(seed))]
    for i, exact in enumerate([3 * factor, -8 * factor]):
        numbers = [int(move[i][2:]) for move in moves]
        assert max(abs(number - exact) for number in numbers) <= 1.5
        assert np.mean(numbers) == pytest.approx(exact, abs=0.5)


def test_moves_beyond_the_bounds_are_not_read_and_the_ends_can_be_reached() -> None:
    space = Vector(x=Float(0, 1))
    codec = MoveCodec(space, {"x": 0.5}, [0.3])
    assert [codec.decode(f"x={k}").solution["x"] for k in (-2, -1, 1, 2)] == [0.0, 0.2, 0.8, 1.0]
    with pytest.raises(DecodeError, match="outside"):
        codec.decode("x=3")


def test_moves_between_others_may_lead_out_of_the_space() -> None:
    codec = MoveCodec(PAIRS, {"w": 50, "b": 0}, [1, 1])
    assert codec.moves(PAIRS.pack([{"w": -50, "b": 3}]), PAIRS.pack([{"w": 40, "b": 1}])) == ["w=90 b=-2"]
