"""Which requests a local model answers one after another, so that it reads a common beginning once."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from llmopt.llm.base import Message, Request
from llmopt.llm.local import _alike, _beginning
from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.metrics import by_name
from llmopt.problems.prompt.scorer import Scorer
from llmopt.problems.prompt.template import POSITIONS, Template
from support.models import FunctionLLM

messages = st.builds(
    lambda role, content, stable: Message(role, content, min(stable, len(content))),
    st.sampled_from(["system", "user"]),
    st.text("ab", max_size=3),
    st.integers(0, 3),
)
requests = st.builds(
    Request, st.one_of(st.text("ab", max_size=3), st.lists(messages, min_size=1, max_size=2).map(tuple))
)
many = st.lists(requests, max_size=30)


@given(many, st.integers(1, 9))
def test_groups_hold_every_request_once_and_in_order(found: list[Request], parallel: int) -> None:
    groups = _alike(found, parallel)
    assert [i for group in groups for i in group] == list(range(len(found)))
    assert all(len(group) for group in groups)


@given(many, st.integers(1, 9))
def test_a_group_has_one_beginning_and_is_no_larger_than_leaves_work_for_all(
    found: list[Request], parallel: int
) -> None:
    largest = -(-len(found) // parallel)
    for group in _alike(found, parallel):
        assert len(group) == 1 or len({_beginning(found[i]) for i in group}) == 1
        assert len(group) == 1 or _beginning(found[group.start])
        assert len(group) <= largest


@given(many, st.integers(1, 9))
def test_neighbours_with_one_beginning_are_parted_only_where_a_group_is_full(
    found: list[Request], parallel: int
) -> None:
    largest = -(-len(found) // parallel)
    for group in _alike(found, parallel)[:-1]:
        following = _beginning(found[group.stop])
        assert len(group) == largest or not following or following != _beginning(found[group.stop - 1])


@given(st.integers(1, 60), st.integers(1, 9))
def test_alike_requests_are_shared_out_to_all_that_work_at_the_same_time(count: int, parallel: int) -> None:
    groups = _alike([Request((Message("user", "the same beginning and more", 18),))] * count, parallel)
    assert len(groups) <= parallel and max(map(len, groups)) == -(-count // parallel)


def test_a_beginning_ends_where_a_message_changes() -> None:
    system, user = Message("system", "be brief", 8), Message("user", "one two", 4)
    assert _beginning(Request((system, user))) == "be briefone "
    assert _beginning(Request((Message("system", "be brief", 2), user))) == "be"
    assert _beginning(Request((user,))) == "one "
    # Of a text to be continued nobody says which part stays.
    assert _beginning(Request("one two")) == ""


def sent(position: str, chat: bool = True) -> Sequence[Request]:
    asked = FunctionLLM(lambda request, i: "")
    scorer = Scorer(asked, Template.at(position), by_name("exact"))  # type: ignore[arg-type]
    pairs = [(f"instruction {k}", Example(f"question {i}", "x")) for k in range(3) for i in range(4)]
    scorer.score(pairs, lambda place, score: None)
    return asked.requests


def test_a_scorers_requests_are_grouped_by_what_stands_first() -> None:
    # Three workers: four examples of an instruction each, or three instructions of a question and not more.
    sizes = {position: [len(group) for group in _alike(sent(position), 3)] for position in POSITIONS}
    assert sizes == {"Q_begin": [4] * 3, "system": [4] * 3, "Q_end": [3] * 4, "A_begin": [3] * 4}


def test_a_base_models_options_are_read_with_their_question() -> None:
    requests = [Request(f"question {i}", given=option) for i in range(6) for option in ("a", "b", "c")]
    assert [len(group) for group in _alike(requests, 3)] == [3] * 6
