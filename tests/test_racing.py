"""Racing: who goes on, who is dropped, and how often that is a mistake."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from llmopt.errors import InvalidInput
from llmopt.racing import Race, Scores

mark = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1))
races = st.builds(
    Race, level=st.floats(0.001, 0.999), margin=st.floats(0, 0.5), first=st.integers(1, 30), block=st.integers(1, 30)
)


@st.composite
def situations(draw: st.DrawFn) -> tuple[Scores, Scores, Scores]:
    """Candidates that have seen some of the items, the incumbent, the others."""
    items, rows, others = draw(st.integers(1, 40)), draw(st.integers(0, 6)), draw(st.integers(0, 4))
    seen = draw(st.integers(1, items))
    return (
        draw(arrays(np.float64, (rows, seen), elements=mark)),
        draw(arrays(np.float64, (items,), elements=mark)),
        draw(arrays(np.float64, (others, items), elements=mark)),
    )


@given(races, st.integers(0, 300))
def test_blocks_cover_the_items_in_order(race: Race, items: int) -> None:
    blocks = race.blocks(items)
    assert [i for block in blocks for i in range(items)[block]] == list(range(items))
    assert all(block.stop - block.start == race.block for block in blocks[1:-1])
    assert all(block.stop > block.start for block in blocks)
    assert not blocks or blocks[0].stop == min(race.first, items)


@given(races, situations())
def test_a_candidate_that_can_no_longer_win_is_dropped(race: Race, situation: tuple[Scores, Scores, Scores]) -> None:
    candidates, incumbent, others = situation
    left = len(incumbent) - candidates.shape[1]
    hopeless = candidates.sum(axis=1) + left <= incumbent.sum()
    assert not race.keeps(candidates, incumbent, others)[hopeless].any()


@given(races, situations())
def test_a_candidate_as_good_as_the_incumbent_on_every_item_goes_on_while_it_can_win(
    race: Race, situation: tuple[Scores, Scores, Scores]
) -> None:
    candidates, incumbent, others = situation
    seen = candidates.shape[1]
    as_good = np.maximum(candidates, incumbent[:seen])
    can_win = as_good.sum(axis=1) + (len(incumbent) - seen) > incumbent.sum() + 1e-6
    assert race.keeps(as_good, incumbent, others)[can_win].all()


@given(races, situations(), st.randoms(use_true_random=False))
def test_each_candidate_is_judged_by_itself(race: Race, situation: tuple[Scores, Scores, Scores], random: Any) -> None:
    candidates, incumbent, others = situation
    together = race.keeps(candidates, incumbent, others)
    order = list(range(len(candidates)))
    random.shuffle(order)
    assert together.shape == (len(candidates),) and together.dtype == np.bool_
    assert race.keeps(candidates[order], incumbent, others).tolist() == together[order].tolist()
    for row, goes_on in zip(candidates, together, strict=True):
        assert race.keeps(row[None], incumbent, others).tolist() == [goes_on]


@given(races, situations())
def test_on_all_items_the_winner_is_who_beats_the_incumbent(
    race: Race, situation: tuple[Scores, Scores, Scores]
) -> None:
    candidates, incumbent, others = (np.round(scores) for scores in situation)
    complete = np.hstack([candidates, np.ones((len(candidates), len(incumbent) - candidates.shape[1]))])
    wins = complete.sum(axis=1) > incumbent.sum()
    assert race.keeps(complete, incumbent, others).tolist() == wins.tolist()


@given(races, situations())
def test_no_bets_are_placed_on_the_items_that_chose_the_incumbent(
    race: Race, situation: tuple[Scores, Scores, Scores]
) -> None:
    candidates, incumbent, others = (np.round(scores) for scores in situation)
    seen = candidates.shape[1]
    can_win = candidates.sum(axis=1) + (len(incumbent) - seen) > incumbent.sum()
    assert race.keeps(candidates, incumbent, others, since=seen).tolist() == can_win.tolist()


def test_a_useless_candidate_is_dropped_at_the_first_look() -> None:
    incumbent = np.tile([1.0, 1.0, 0.0, 1.0], 25)
    assert Race().keeps(np.zeros((1, 10)), incumbent).tolist() == [False]


def test_a_smaller_level_never_drops_more() -> None:
    rng = np.random.default_rng(0)
    candidates = (rng.random((200, 30)) < 0.6).astype(float)
    incumbent = (rng.random(100) < 0.8).astype(float)
    kept = [Race(level=level).keeps(candidates, incumbent) for level in (0.01, 0.05, 0.2, 0.5)]
    for strict, loose in itertools.pairwise(kept):
        assert (strict >= loose).all()
    assert kept[0].sum() > kept[-1].sum()


def test_a_run_of_hard_items_is_not_held_against_a_candidate() -> None:
    # The incumbent was lucky on two of the first twelve items, on which all others fail.
    incumbent = np.array([1.0] * 2 + [0.0] * 10 + [1.0, 0.0] * 34)
    hard_at_first = np.tile([0.0] * 12 + [1.0] * 40 + [0.0] * 28, (5, 1))
    fails = np.zeros((1, 12))
    assert Race(level=0.2).keeps(fails, incumbent, hard_at_first).tolist() == [True]
    assert Race(level=0.2).keeps(fails, incumbent).tolist() == [False]


@pytest.mark.parametrize("margin", [0.0, 1 / 6])
@pytest.mark.parametrize(
    ("incumbent", "others"),
    [
        ([1, 1, 0, 0, 0, 0], []),
        ([1, 1, 1, 0, 0, 0], [[1, 1, 1, 1, 0, 0], [1, 0, 1, 0, 0, 0]]),
        # The others are the opposite of what comes: predictions may be wrong.
        ([0.5, 0.5, 0.5, 0, 0, 0], [[1, 1, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0]]),
    ],
)
def test_over_all_orders_no_candidate_worth_having_is_dropped_more_often_than_the_level(
    margin: float, incumbent: list[float], others: list[list[float]]
) -> None:
    race = Race(level=0.5, margin=margin, first=1, block=1)
    best, known = np.array(incumbent, dtype=float), np.array(others, dtype=float).reshape(-1, 6)
    marks, parts = itertools.product([0.0, 1.0], repeat=6), itertools.product([0.3, 0.8], repeat=6)
    everyone = np.array([*marks, *parts])
    worth_having = everyone[everyone.mean(axis=1) > best.mean() + max(margin - 1e-9, 1e-9)]
    dropped = np.zeros(len(worth_having))
    orders = list(itertools.permutations(range(6)))
    for order in map(list, orders):
        goes_on = np.ones(len(worth_having), dtype=bool)
        for seen in range(1, 7):
            goes_on &= race.keeps(worth_having[:, order[:seen]], best[order], known[:, order])
        dropped += ~goes_on
    assert 0 < (dropped / len(orders)).max() <= race.level


def test_at_the_margin_the_risk_is_used_but_not_exceeded() -> None:
    # As bad as it gets: candidates better by exactly the margin, and looks after every fifth item.
    rng = np.random.default_rng(1)
    race, items = Race(level=0.2, margin=0.05), 60
    incumbent = np.repeat([1.0, 0.0], 30)
    candidates = np.array([rng.permutation(np.repeat([1.0, 0.0], [33, 27])) for _ in range(20)])
    dropped = []
    for _ in range(300):
        order = rng.permutation(items)
        goes_on = np.ones(len(candidates), dtype=bool)
        for block in race.blocks(items)[:-1]:
            goes_on &= race.keeps(candidates[:, order[: block.stop]], incumbent[order])
        dropped.append(np.mean(~goes_on))
    assert 0.05 < np.mean(dropped) <= 0.2


def test_the_leader_of_a_first_step_is_the_first_of_the_best() -> None:
    assert Race().leader(np.array([[0.0, 1, 0], [1, 0, 1], [0, 1, 1]])) == 1
    # The same sum in another order is a tie.
    assert Race().leader(np.array([[0.1, 0.2, 0.3], [0.3, 0.2, 0.1]])) == 0
    assert Race().leader(np.array([[0.3, 0.2, 0.1], [0.1, 0.2, 0.3]])) == 0
    with pytest.raises(InvalidInput, match="no leader"):
        Race().leader(np.empty((0, 3)))


@pytest.mark.parametrize(
    "setting",
    [{"level": 0.0}, {"level": 1.0}, {"level": np.nan}, {"margin": -0.1}, {"margin": 1.0}, {"first": 0}, {"block": 0}],
)
def test_a_setting_outside_its_range_is_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="race"):
        Race(**setting)


@pytest.mark.parametrize(
    ("candidates", "incumbent", "others", "since"),
    [
        (np.zeros((1, 0)), np.zeros(3), None, 0),
        (np.zeros((1, 4)), np.zeros(3), None, 0),
        (np.zeros(3), np.zeros(3), None, 0),
        (np.zeros((1, 2)), np.zeros((1, 3)), None, 0),
        (np.zeros((1, 2)), np.zeros(3), np.zeros((2, 4)), 0),
        (np.zeros((1, 2)), np.zeros(3), None, 3),
        (np.zeros((1, 2)), np.zeros(3), None, -1),
        (np.full((1, 2), 1.5), np.zeros(3), None, 0),
        (np.full((1, 2), np.nan), np.zeros(3), None, 0),
        (np.zeros((1, 2)), np.full(3, -0.1), None, 0),
    ],
)
def test_scores_that_do_not_fit_are_refused(
    candidates: Scores, incumbent: Scores, others: Scores | None, since: int
) -> None:
    with pytest.raises(InvalidInput):
        Race().keeps(candidates, incumbent, others, since)
