"""Scores of items: each pair is asked for once, what comes is kept at once, and what is no score is refused."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from llmopt import Int, InvalidInput, Permutation, Space, Text, Vector
from llmopt.items import ItemProblem, ItemScore, ItemScores, Keep, solution_key
from llmopt.racing import Scores
from support.strategies import members, spaces

tables = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.floats(-1e6, 1e6))


class Table(ItemProblem):
    """Scores whole numbers by a table, and counts how often each pair is asked for."""

    def __init__(self, table: Scores) -> None:
        self.space = Vector(x=Int(0, len(table) - 1))
        self.table = table
        self.asked: Counter[tuple[int, int]] = Counter()

    @property
    def items(self) -> int:
        return int(self.table.shape[1])

    def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
        for i, (solution, item) in enumerate(pairs):
            self.asked[solution["x"], item] += 1
            keep(i, ItemScore(self.table[solution["x"], item], f"answer {item}"))

    def describe(self) -> str:
        return "Find x."


class Fixed(ItemProblem):
    """Hands over what it is given for its only solution, item by item; None leaves a pair out."""

    space = Text(9)
    items = 3

    def __init__(self, outcomes: Sequence[Any]) -> None:
        self.outcomes = list(outcomes)

    def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
        for i, (_, item) in enumerate(pairs):
            if self.outcomes[item] is not None:
                keep(i, self.outcomes[item])

    def describe(self) -> str:
        return "Find a text."


def at(x: int) -> dict[str, int]:
    return {"x": x}


@given(tables)
def test_the_score_of_a_solution_is_the_mean_over_its_items(table: Scores) -> None:
    problem = Table(table)
    assert [problem.evaluate(at(x)) for x in range(len(table))] == [float(row.mean()) for row in table]


@given(tables, st.data())
def test_a_pair_is_scored_once_however_often_and_in_whatever_company_it_is_wanted(
    table: Scores, data: st.DataObject
) -> None:
    problem = Table(table)
    scores = ItemScores(problem)
    pair = st.tuples(st.integers(0, len(table) - 1), st.integers(0, table.shape[1] - 1))
    wanted = data.draw(st.lists(st.lists(pair, max_size=8), max_size=6))
    for pairs in wanted:
        found = scores.score([(at(x), item) for x, item in pairs])
        assert found.tolist() == [table[pair] for pair in pairs]
    assert problem.asked == Counter({pair for pairs in wanted for pair in pairs})
    for x in range(len(table)):
        items = {item for pairs in wanted for other, item in pairs if other == x}
        known = scores.known(at(x))
        assert known == {item: ItemScore(table[x, item], f"answer {item}") for item in items}
        whole = scores.complete(at(x))
        assert (whole is None) == (len(items) < problem.items)
        assert whole is None or whole.tolist() == table[x].tolist()


def test_items_beyond_those_of_the_search_are_scored_too_and_do_not_complete_a_solution() -> None:
    class HeldOut(Table):
        items = 2

    problem = HeldOut(np.arange(8.0).reshape(2, 4))
    scores = ItemScores(problem)
    assert scores.score([(at(1), 3), (at(1), 0)]).tolist() == [7.0, 4.0]
    assert scores.complete(at(1)) is None
    scores.score([(at(1), 1)])
    whole = scores.complete(at(1))
    assert whole is not None and whole.tolist() == [4.0, 5.0]
    assert problem.evaluate(at(1)) == 4.5


def test_texts_are_told_apart_as_they_are_written() -> None:
    class Length(Fixed):
        def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
            for i, (text, _) in enumerate(pairs):
                keep(i, ItemScore(float(text == "A b"), text))

    scores = ItemScores(Length([]))
    assert scores.score([("A b", 0), ("a b", 0), ("A  b", 0)]).tolist() == [1.0, 0.0, 0.0]
    assert [scores.known(text)[0].answer for text in ("A b", "a b", "A  b")] == ["A b", "a b", "A  b"]


@given(spaces, st.integers(0, 10**6))
def test_a_solution_has_one_key_in_memory_and_in_json(space: Space[Any], seed: int) -> None:
    solutions = members(space, 5, seed)
    for solution in solutions:
        plain = space.to_json(solution)
        assert solution_key(plain) == solution_key(space.to_json(space.from_json(plain)))
    keys = {solution_key(space.to_json(solution)) for solution in solutions}
    assert len(keys) == len({repr(space.to_json(solution)) for solution in solutions})


def test_what_numpy_counts_with_is_as_good_as_a_plain_number() -> None:
    problem = Table(np.eye(3))
    scores = ItemScores(problem)
    numbers: Any = np.arange(3)
    assert scores.score([(at(1), item) for item in numbers]).tolist() == [0.0, 1.0, 0.0]
    assert scores.score([({"x": np.int64(1)}, item) for item in range(3)]).tolist() == [0.0, 1.0, 0.0]
    assert problem.asked.total() == 3
    assert all(type(item) is int for item in scores.known(at(1)))


def test_numbers_of_any_kind_are_scores() -> None:
    found = ItemScores(Fixed([ItemScore(True, ""), ItemScore(np.float32(0.5), ""), ItemScore(2, "")]))  # type: ignore[arg-type]
    assert found.score([("a", 0), ("a", 1), ("a", 2)]).tolist() == [1.0, 0.5, 2.0]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (ItemScore(math.nan, ""), "score_items gave nan"),
        (ItemScore(-math.inf, ""), "score_items gave -inf"),
        (ItemScore("0.5", ""), "score_items gave '0.5'"),  # type: ignore[arg-type]
        (ItemScore("good", ""), "score_items gave 'good'"),  # type: ignore[arg-type]
        (ItemScore(None, ""), "score_items gave None"),  # type: ignore[arg-type]
        (ItemScore(1j, ""), "score_items gave 1j"),  # type: ignore[arg-type]
        (ItemScore(10**400, ""), "score_items gave 1000"),
        (ItemScore(np.array([1.0, 2.0]), ""), r"score_items gave array\(\[1\., 2\.\]\)"),  # type: ignore[arg-type]
        (ItemScore(0.5, None), "score_items gave the answer None"),  # type: ignore[arg-type]
        (0.5, "score_items gave 0.5"),
    ],
)
def test_what_is_no_score_is_one_clear_error_and_what_came_before_is_kept(outcome: Any, said: str) -> None:
    problem = Fixed([ItemScore(0.25, "first"), outcome, ItemScore(1.0, "last")])
    scores = ItemScores(problem)
    with pytest.raises(InvalidInput, match=said) as error:
        scores.score([("a", 0), ("a", 1), ("a", 2)])
    assert str(error.value).startswith("Fixed.") and "\n" not in str(error.value) and len(str(error.value)) < 300
    assert scores.known("a") == {0: ItemScore(0.25, "first")}
    problem.outcomes[1] = ItemScore(0.5, "")
    assert scores.score([("a", 0), ("a", 1), ("a", 2)]).tolist() == [0.25, 0.5, 1.0]


def test_a_pair_that_is_left_out_is_one_clear_error_and_the_others_are_kept() -> None:
    scores = ItemScores(Fixed([ItemScore(0.25, ""), None, ItemScore(1.0, "")]))
    with pytest.raises(InvalidInput, match=r"^Fixed\.score_items left out a pair"):
        scores.score([("a", 0), ("a", 1), ("a", 2)])
    assert sorted(scores.known("a")) == [0, 2]


@pytest.mark.parametrize("position", [-1, 3, 99, "0"])
def test_an_outcome_for_no_pair_is_one_clear_error(position: Any) -> None:
    class Elsewhere(Fixed):
        def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
            keep(position, ItemScore(0.5, ""))

    scores = ItemScores(Elsewhere([]))
    with pytest.raises(InvalidInput, match=r"^Elsewhere\.score_items gave .* for pair .* of 3"):
        scores.score([("a", 0), ("a", 1), ("a", 2)])
    assert scores.known("a") == {}


def test_an_error_of_the_problem_goes_through_and_what_came_before_is_kept() -> None:
    class Breaks(Fixed):
        def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
            super().score_items(pairs[:2], keep)
            raise OSError("no network")

    scores = ItemScores(Breaks([ItemScore(0.1, ""), ItemScore(0.2, ""), None]))
    with pytest.raises(OSError, match="no network"):
        scores.score([("a", item) for item in range(3)])
    assert sorted(scores.known("a")) == [0, 1]


def test_outcomes_may_come_from_many_threads_in_any_order() -> None:
    class Threaded(Table):
        def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
            with ThreadPoolExecutor(8) as pool:
                places = np.random.default_rng(0).permutation(len(pairs)).tolist()
                list(pool.map(lambda i: keep(i, ItemScore(self.table[pairs[i][0]["x"], pairs[i][1]], "")), places))

    table = np.random.default_rng(1).random((20, 50))
    scores = ItemScores(Threaded(table))
    assert scores.score([(at(x), item) for x in range(20) for item in range(50)]).tolist() == table.ravel().tolist()


def test_tours_are_solutions_with_items_too() -> None:
    class Legs(ItemProblem):
        space = Permutation(4)
        items = 4

        def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
            for i, (order, item) in enumerate(pairs):
                keep(i, ItemScore(float(abs(order[item] - order[item - 1])), ""))

        def describe(self) -> str:
            return "Find an order."

    assert Legs().evaluate(np.array([0, 1, 2, 3])) == 1.5
