"""The no-repeat rule."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from llmopt import History, Int, Vector
from llmopt.baselines.new_solutions import TRIES, draw_new, first_new
from llmopt.space import Columns, join, length

SPACE = Vector(a=Int(0, 99))


def history_of(*values: int) -> History:
    history = History(SPACE)
    columns = {"a": np.array(values, dtype=np.int64)}
    count = len(values)
    history.append(columns, np.zeros(count), np.zeros(count, dtype=np.int8), 0, {}, SPACE.keys(columns))
    return history


@given(st.lists(st.integers(0, 99), unique=True), st.lists(st.integers(0, 99)), st.integers(0, 20))
def test_the_first_new_ones_are_neither_known_nor_repeated_and_keep_their_order(
    known: list[int], drawn: list[int], n: int
) -> None:
    new = first_new(history_of(*known), {"a": np.array(drawn, dtype=np.int64)}, n)["a"].tolist()
    assert new == [a for a in dict.fromkeys(drawn) if a not in known][:n]


def test_known_candidates_are_drawn_again() -> None:
    attempts = []

    def draw(n: int, attempt: int) -> Columns:
        attempts.append(attempt)
        return {"a": np.array([1, 2 + attempt])}

    drawn = draw_new(history_of(1, 2), 2, np.random.default_rng(0), draw)
    assert drawn["a"].tolist() == [3, 4]
    assert attempts == [0, 1, 2]


def test_what_cannot_be_drawn_comes_from_the_whole_space() -> None:
    attempts = []

    def draw(n: int, attempt: int) -> Columns:
        attempts.append(attempt)
        return {"a": np.full(n, 7)}

    drawn = draw_new(history_of(7), 5, np.random.default_rng(0), draw)
    assert length(drawn) == 5
    assert len(attempts) == TRIES


def test_join_keeps_the_order_of_the_parts() -> None:
    assert join([{"a": np.array([1, 2])}, {"a": np.array([3])}])["a"].tolist() == [1, 2, 3]
