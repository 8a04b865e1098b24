"""The share of a model: within its bounds, up where it finds incumbents, down and silent where it does not."""

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from llmopt.opro.share import LONGEST, Share

Finder = Literal["model", "other"] | None
finders: st.SearchStrategy[Finder] = st.sampled_from(["model", "other", None])


def play(share: Share, batch: int, finder: Finder) -> int:
    """Book a step in which the model makes its share; a finder without a proposal finds nothing."""
    mine = share.proposals
    made = {"model": mine, "other": batch - mine}
    share.book(mine, batch - mine, finder if finder and made[finder] else None)
    return mine


@given(st.integers(1, 12), st.lists(finders, max_size=80))
def test_it_lies_between_none_and_all_but_one_and_a_silent_model_is_heard_again(
    batch: int, found: list[Finder]
) -> None:
    share = Share(batch)
    made = [play(share, batch, finder) for finder in [*found, *[None] * (LONGEST + 1)]]
    assert all(0 <= mine <= max(1, batch - 1) for mine in made)
    assert any(made[-LONGEST - 1 :])


@given(st.integers(2, 12))
def test_a_model_that_finds_every_incumbent_soon_makes_all_proposals_but_one(batch: int) -> None:
    share = Share(batch)
    made = [play(share, batch, "model") for _ in range(8)]
    assert made[0] == batch // 2 and made == sorted(made) and made[-1] == batch - 1


@given(st.integers(4, 12), st.integers(20, 200))
def test_a_model_that_finds_nothing_costs_a_few_steps(batch: int, steps: int) -> None:
    share = Share(batch)
    made = [play(share, batch, "other") for _ in range(steps)]
    assert sum(made[:10]) <= 2.5 * batch
    # Probes come after 2, 4, 8, 16, 32, 32 ... steps.
    assert max(made[10:]) == 1 and sum(made[10:]) <= 4 + (steps - 10) // LONGEST


@given(st.integers(2, 12))
def test_one_probe_that_finds_the_incumbent_brings_a_model_back(batch: int) -> None:
    share = Share(batch)
    while play(share, batch, "other") or share.proposals:
        pass
    while not share.proposals:
        play(share, batch, "other")
    play(share, batch, "model")
    assert play(share, batch, "model") >= 1
    assert play(share, batch, "model") == min(2, batch - 1)


def test_where_nobody_finds_anything_the_share_stays() -> None:
    share = Share(8)
    assert {play(share, 8, None) for _ in range(50)} == {4}


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), finders), max_size=50))
def test_the_lead_is_never_more_than_what_the_model_found(steps: list[tuple[int, int, Finder]]) -> None:
    share, found = Share(8), 0
    for model, other, finder in steps:
        share.book(model, other, finder)
        found += finder == "model"
        assert share.lead <= found
