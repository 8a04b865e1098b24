"""Questions about good orders, and what their answers lead to."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from llmopt import Permutation
from llmopt.history import History
from llmopt.opro.joins import Change, Join, joins, random_joins
from llmopt.space.permutation import COLUMN, Symmetry

SYMMETRIES = st.sampled_from(["none", "rotation", "dihedral"])
CHANGES = st.sampled_from(["local", "far"])


def history_of(n: int, symmetry: Symmetry, count: int, seed: int) -> History:
    space = Permutation(n, symmetry)
    history = History(space)
    columns = space.sample(count, np.random.default_rng(seed))
    keys = space.keys(columns)
    _, fresh = history.match(keys)
    columns = {COLUMN: columns[COLUMN][fresh]}
    new = int(fresh.sum())
    losses = np.random.default_rng(seed + 1).uniform(size=new)
    history.append(columns, losses, np.zeros(new, np.int8), np.arange(new, dtype=np.int32), {}, space.keys(columns))
    return history


def asked(history: History, count: int, change: Change, seed: int) -> list[Join]:
    return joins(history, count, np.random.default_rng(seed), step=len(history), change=change, shown=4)


def follows(order: list[int], first: int, second: int, symmetry: Symmetry) -> bool:
    place = order.index(first)
    if symmetry == "none":
        return order[place + 1 : place + 2] == [second]
    n = len(order)
    return second == order[(place + 1) % n] or (symmetry == "dihedral" and second == order[place - 1])


@given(st.integers(6, 12), SYMMETRIES, CHANGES, st.integers(0, 20), st.integers(0, 99))
def test_an_answer_is_a_new_order_in_which_the_entry_follows(
    n: int, symmetry: Symmetry, change: Change, count: int, seed: int
) -> None:
    history = history_of(n, symmetry, count, seed)
    space = history.space
    offered: list[object] = []
    for join in asked(history, 3, change, seed):
        assert 1 <= len(join.path) <= 4 and len(join.entries) == len(join.orders) > 0
        assert len(set(join.entries.tolist())) == len(join.entries)
        for entry, order in zip(join.entries.tolist(), join.orders, strict=True):
            assert space.violation(order) is None
            assert follows(order.tolist(), int(join.path[-1]), entry, symmetry)
        keys = space.keys({COLUMN: join.orders})
        assert history.match(keys)[1].all()
        offered += keys
    # Answers to different questions differ; those to one question may lead to the same order.
    by_question = [set(space.keys({COLUMN: join.orders})) for join in asked(history, 3, change, seed)]
    assert sum(map(len, by_question)) == len(set().union(*by_question)) == len(set(offered))


@given(st.integers(1, 12), SYMMETRIES, CHANGES, st.integers(0, 99))
def test_questions_depend_on_nothing_but_history_and_generator(
    n: int, symmetry: Symmetry, change: Change, seed: int
) -> None:
    history = history_of(n, symmetry, 6, seed)
    one, other = (asked(history, 4, change, seed) for _ in range(2))
    assert len(one) == len(other) == 4
    for join, same in zip(one, other, strict=True):
        assert (join.path == same.path).all() and (join.orders == same.orders).all()


def test_where_every_order_is_known_the_known_ones_are_offered() -> None:
    space = Permutation(5, "dihedral")
    history = History(space)
    columns = next(space.enumerate())
    count = len(columns[COLUMN])
    history.append(columns, np.arange(count, dtype=float), np.zeros(count, np.int8), 0, {}, space.keys(columns))
    assert all(len(join.orders) for join in asked(history, 3, "local", 0))


def test_a_search_that_gains_nothing_asks_about_more_orders() -> None:
    history = history_of(12, "dihedral", 20, 1)
    best = history.columns[COLUMN][history.best(20)]

    def legs(order: list[int]) -> set[frozenset[int]]:
        return {frozenset(leg) for leg in zip(order, order[1:] + order[:1], strict=True)}

    def about(step: int) -> set[int]:
        found = joins(history, 40, np.random.default_rng(0), step=step, change="local", shown=12)
        return {i for join in found for i, order in enumerate(best) if legs(order.tolist()) == legs(join.path.tolist())}

    step = int(history.steps[history.best(1)[0]])
    assert about(step + 1) == {0}
    assert about(step + 9) == {0, 1, 2}


@given(st.integers(4, 9), CHANGES, st.integers(0, 99))
def test_random_answers_are_answers(n: int, change: Change, seed: int) -> None:
    history = history_of(n, "dihedral", 3, seed)
    questions = asked(history, 4, change, seed)
    drawn = random_joins(history, 4, np.random.default_rng(seed), step=len(history), change=change)
    assert drawn.shape == (4, n) and len(questions) == 4
    assert all(history.space.violation(order) is None for order in drawn)
