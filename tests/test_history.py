"""The history: columns, the best, views, the table."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import Categorical, Float, History, Int, Permutation, Text, Vector
from llmopt.history import FAILED, OK

loss = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6), st.just(float("nan")))


def filled(losses: list[float], sizes: list[int]) -> History:
    history = History(Vector(x=Int(0, 10**6)))
    xs = np.arange(len(losses))
    status = np.where(np.isnan(losses), FAILED, OK).astype(np.int8)
    start = 0
    for step, size in enumerate([*sizes, len(losses)]):
        part = slice(start, min(start + size, len(losses)))
        history.append({"x": xs[part]}, np.array(losses)[part], status[part], step, {}, xs[part])
        start = part.stop
    return history


@given(st.lists(loss, max_size=600), st.lists(st.integers(0, 300), max_size=6), st.integers(0, 700))
def test_the_best_are_those_of_a_full_sort_with_the_earlier_of_equals_first(
    losses: list[float], sizes: list[int], k: int
) -> None:
    history = filled(losses, sizes)
    scored = [i for i, x in enumerate(losses) if x == x]
    assert history.best(k).tolist() == sorted(scored, key=lambda i: (losses[i], i))[:k]


@given(st.lists(loss, min_size=1, max_size=50))
def test_the_incumbent_never_gets_worse(losses: list[float]) -> None:
    history = filled(losses, [1] * len(losses))
    curve = history.best_so_far()
    assert (np.diff(curve[np.isfinite(curve)]) <= 0).all()
    if history.incumbent is not None:
        assert history.incumbent.loss == curve[-1] == np.nanmin(losses)
    else:
        assert np.isinf(curve).all()


def test_a_row_is_seen_through_a_view_in_the_users_sign() -> None:
    history = History(Vector(c=Categorical("a", "b"), x=Float(0, 1)), maximize=True)
    columns = history.space.pack([{"c": "b", "x": 0.5}, {"c": "a", "x": 0.25}])
    history.append(columns, np.array([-2.0, np.nan]), np.array([OK, FAILED], dtype=np.int8), 0, {1: "boom"}, None)
    assert history[0].solution == {"c": "b", "x": 0.5} and history[0].score == 2.0
    assert (history[-1].status, history[-1].reason) == ("failed", "boom")
    assert "boom" in repr(history[1]) and "score=2.0" in repr(history[0])
    assert [e.index for e in history] == [0, 1] and len(history[1:]) == 1
    with pytest.raises(IndexError):
        history[2]


def test_the_table_has_a_column_for_every_variable_and_the_outcome() -> None:
    history = History(Vector(c=Categorical("a", None), x=Float(0, 1)))
    columns = history.space.pack([{"c": None, "x": 0.5}])
    history.append(columns, np.array([7.0]), np.zeros(1, dtype=np.int8), 3, {}, None)
    table = history.table()
    assert {k: v.tolist() for k, v in table.items()} == {
        "c": [None], "x": [0.5], "score": [7.0], "status": ["ok"], "step": [3],
    }  # fmt: skip


@pytest.mark.parametrize("space", [Permutation(4), Text()])
def test_tours_and_texts_have_a_table_too(space: Permutation | Text) -> None:
    history = History(space)
    columns = space.sample(3, np.random.default_rng(0))
    history.append(columns, np.arange(3.0), np.zeros(3, dtype=np.int8), 0, {}, None)
    assert len(history.table()["solution"]) == 3
    assert np.array_equal(history.table()["solution"][1], space.row(columns, 1))
