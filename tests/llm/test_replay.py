"""A recording answers as the model did."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt.errors import InvalidInput, ModelError
from llmopt.llm import (
    LLM,
    Capabilities,
    Constraint,
    Message,
    ModelInfo,
    Reply,
    Request,
    Response,
    Sampling,
    Usage,
    connect,
)
from llmopt.llm.replay import Replay
from llmopt.opro import OPRO
from llmopt.runlog.identity import identify
from support.logs import BUDGET, PROBLEM, recorded
from support.models import ABLE, FunctionLLM, obedient


class Counting(LLM):
    """Answers with the number of replies that it has given so far."""

    def __init__(self) -> None:
        self.given = 0

    @property
    def info(self) -> ModelInfo:
        return ModelInfo("counting", {"kind": "tést"})

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(chat=True, n=True, context=77)

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Response:
        first = self.given
        self.given += request.n
        replies = tuple(Reply(f"{i}\u2028\n\x00", "length") for i in range(first, self.given))
        return Response(replies, Usage(1, len(request.prompt), 0, request.n))

    def count_tokens(self, prompt: str | tuple[Message, ...]) -> int:
        return len(prompt)


texts = st.text(max_size=20)
messages = st.builds(Message, st.sampled_from(["system", "user", "assistant"]), texts)
constraints = st.builds(
    Constraint,
    grammar=st.none() | texts,
    schema=st.none() | st.dictionaries(texts, st.none() | st.booleans() | st.integers() | texts, max_size=3),
)
requests = st.builds(
    Request,
    prompt=texts | st.lists(messages, max_size=3).map(tuple),
    n=st.integers(1, 4),
    max_tokens=st.integers(1, 100),
    constraint=st.none() | constraints,
    sampling=st.builds(Sampling, temperature=st.floats(0, 2), top_k=st.integers(0, 50)),
    stop=st.lists(texts, max_size=2).map(tuple),
    seed=st.none() | st.integers(-(2**70), 2**70),
)


@settings(max_examples=60)
@given(batch=st.lists(requests, max_size=8), order=st.randoms())
def test_a_replay_answers_every_request_as_it_was_answered(batch: list[Request], order: object) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        with recorded(folder, Counting()) as llm:
            answers = llm.generate(batch)
        with Replay(folder) as replay:
            assert replay.generate(batch) == answers
            assert (replay.info, replay.capabilities) == (Counting().info, Counting().capabilities)
        with Replay(folder / "run.sqlite") as replay:
            distinct = {repr(request): index for index, request in reversed(list(enumerate(batch)))}
            shuffled = list(distinct.values())
            order.shuffle(shuffled)  # type: ignore[attr-defined]
            assert [replay.generate([batch[i]])[0] for i in shuffled] == [answers[i] for i in shuffled]


def test_a_request_made_several_times_is_answered_in_turn_and_then_with_the_last(tmp_path: Path) -> None:
    request = Request("again")
    with recorded(tmp_path, Counting()) as llm:
        answers = [llm.generate([request])[0] for _ in range(3)]
    replay = connect(f"replay:{tmp_path}")
    assert [replay.generate([request])[0] for _ in range(5)] == [*answers, answers[-1], answers[-1]]


def test_threads_may_ask_at_the_same_time(tmp_path: Path) -> None:
    batch = [Request(f"prompt {i}") for i in range(200)]
    with recorded(tmp_path, Counting()) as llm, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda request: llm.generate([request])[0], batch))
    assert Replay(tmp_path).generate(batch) == answers


def test_an_answer_is_on_the_disk_when_it_is_given(tmp_path: Path) -> None:
    with recorded(tmp_path, Counting()) as llm:
        llm.generate([Request("a")])
        assert Replay(tmp_path).generate([Request("a")])[0].replies[0].text.startswith("0")


def test_a_log_of_several_models_does_not_say_which_one_to_be(tmp_path: Path) -> None:
    for llm in (Counting(), obedient()):
        with recorded(tmp_path, llm) as asked:
            asked.generate([Request("a", constraint=Constraint('root ::= "a"'))])
    with pytest.raises(InvalidInput, match="holds the replies of counting and test:function; give"):
        Replay(tmp_path)


def test_a_replay_does_not_count_tokens(tmp_path: Path) -> None:
    with recorded(tmp_path, Counting()):
        pass
    assert Replay(tmp_path).count_tokens("four") is None


@pytest.mark.parametrize(
    ("request_", "difference"),
    [
        (Request("loss 5\nw 2 b 3\n", n=2), "line 2 of the prompt is 'w 2 b 3', logged is 'w 1 b 3'"),
        (Request("loss 5\nw 1 b 3\n", n=2, seed=4), "another seed"),
        (Request("loss 5\nw 1 b 3\n", max_tokens=5), "another n, max_tokens"),
    ],
)
def test_a_request_that_was_not_made_is_an_error_that_says_what_differs(
    tmp_path: Path, request_: Request, difference: str
) -> None:
    with recorded(tmp_path, Counting()) as llm:
        llm.generate([Request("unlike"), Request("loss 5\nw 1 b 3\n", n=2)])
    with pytest.raises(ModelError, match="does not hold this request") as error:
        Replay(tmp_path).generate([request_])
    assert difference in str(error.value)


def test_a_folder_without_a_log_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is not the folder of a run"):
        Replay(tmp_path)
    with pytest.raises(InvalidInput, match="replay:PATH"):
        connect("replay:")
    (tmp_path / "run.sqlite").write_text("hello")
    with pytest.raises(InvalidInput, match="cannot be read") as error:
        Replay(tmp_path)
    assert "\n" not in str(error.value)


def test_a_log_has_no_place_for_likelihoods_and_says_so(tmp_path: Path) -> None:
    able = FunctionLLM(lambda request, i: Reply(request.given or "a", logprob=-1.0), replace(ABLE, logprobs=True))
    with recorded(tmp_path, able) as model:
        assert model.capabilities == ABLE
        with pytest.raises(InvalidInput, match="test:function does not say how likely a given reply is"):
            model.generate([Request((Message("user", "a"),), given="b")])
        model.generate([Request((Message("user", "a"),))])
    assert len(able.requests) == 1
    with Replay(tmp_path) as replay:
        assert replay.capabilities == ABLE
        with pytest.raises(InvalidInput, match="does not say how likely"):
            replay.generate([Request((Message("user", "a"),), given="b")])


def test_a_run_goes_on_that_was_logged_before_models_said_how_likely_replies_are(tmp_path: Path) -> None:
    able = replace(ABLE, logprobs=True)
    for capabilities in (ABLE, able):
        llm = obedient(capabilities)
        identity = identify(PROBLEM, OPRO(llm), BUDGET, 0, starts=None, target=None, asked={})
        assert "logprobs" not in identity["models"]["optimizer"]["capabilities"]
