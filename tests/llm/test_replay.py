"""A recording answers as the model did."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
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
from llmopt.llm.replay import Recording, Replay
from support.models import obedient


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
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"
        with Recording(path) as recording:
            recorded = recording.of(Counting()).generate(batch)
        with Replay(path) as replay:
            assert replay.generate(batch) == recorded
            assert (replay.info, replay.capabilities) == (Counting().info, Counting().capabilities)
        with Replay(path) as replay:
            distinct = {repr(request): index for index, request in reversed(list(enumerate(batch)))}
            shuffled = list(distinct.values())
            order.shuffle(shuffled)  # type: ignore[attr-defined]
            assert [replay.generate([batch[i]])[0] for i in shuffled] == [recorded[i] for i in shuffled]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


def test_a_request_made_several_times_is_answered_in_turn_and_then_with_the_last(path: Path) -> None:
    request = Request("again")
    with Recording(path) as recording:
        recorder = recording.of(Counting())
        recorded = [recorder.generate([request])[0] for _ in range(3)]
    replay = connect(f"replay:{path}")
    assert [replay.generate([request])[0] for _ in range(5)] == [*recorded, recorded[-1], recorded[-1]]


def test_threads_may_record_into_one_file(path: Path) -> None:
    batch = [Request(f"prompt {i}") for i in range(200)]
    with Recording(path) as recording, ThreadPoolExecutor(8) as pool:
        recorder = recording.of(Counting())
        recorded = list(pool.map(lambda request: recorder.generate([request])[0], batch))
    assert Replay(path).generate(batch) == recorded


def test_every_answer_is_in_the_file_at_once(path: Path) -> None:
    with Recording(path) as recording:
        recording.of(Counting()).generate([Request("a")])
        assert Replay(path).generate([Request("a")])[0].replies[0].text.startswith("0")


def test_a_recording_holds_the_answers_of_one_model(path: Path) -> None:
    with Recording(path) as recording:
        recording.of(Counting())
        recording.of(Counting())
        with pytest.raises(InvalidInput, match="holds answers of"):
            recording.of(obedient())


def test_token_counts_are_replayed(path: Path) -> None:
    with Recording(path) as recording:
        assert recording.of(Counting()).count_tokens("four") == 4
    replay = Replay(path)
    assert replay.count_tokens("four") == 4
    with pytest.raises(ModelError, match="does not hold"):
        replay.count_tokens("other")


@pytest.mark.parametrize(
    ("request_", "difference"),
    [
        (Request("loss 5\nw 2 b 3\n", n=2), "line 2 of the prompt is 'w 2 b 3', recorded was 'w 1 b 3'"),
        (Request("loss 5\nw 1 b 3\n", n=2, seed=4), "another seed"),
        (Request("loss 5\nw 1 b 3\n", max_tokens=5), "another n, max_tokens"),
    ],
)
def test_a_request_that_was_not_recorded_is_an_error_that_says_what_differs(
    path: Path, request_: Request, difference: str
) -> None:
    with Recording(path) as recording:
        recording.of(Counting()).generate([Request("unlike"), Request("loss 5\nw 1 b 3\n", n=2)])
    with pytest.raises(ModelError, match="does not hold this request") as error:
        Replay(path).generate([request_])
    assert difference in str(error.value)


def test_an_existing_file_is_not_overwritten(path: Path) -> None:
    path.write_text("precious")
    with pytest.raises(InvalidInput, match="exists already"):
        Recording(path)
    assert path.read_text() == "precious"


def test_a_recording_that_is_missing_empty_or_damaged_is_one_clear_line(path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"run\.jsonl cannot be read: No such file"):
        Replay(path)
    with Recording(path) as recording:
        recording.of(Counting()).generate([Request("a"), Request("b")])
    lines = path.read_text().splitlines(keepends=True)
    header = json.loads(lines[0])
    for content, number in [
        ("", 1),
        ("hello\n", 1),
        ("[]\n", 1),
        (json.dumps({**header, "llmopt-recording": 99}) + "\n", 1),
        (lines[0] + lines[1] + lines[2][:-20], 3),
        (lines[0] + "\n" + lines[1], 2),
        (lines[0] + '{"request": 5, "replies": []}\n', 2),
    ]:
        path.write_text(content)
        with pytest.raises(InvalidInput, match=f"line {number} ") as error:
            Replay(path)
        assert "\n" not in str(error.value)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="line 1 "):
        Replay(path)
