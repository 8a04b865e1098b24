"""A file by its URL, from a real server that fails in every way that servers do."""

from __future__ import annotations

import json
import random
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt.llm import download as module
from llmopt.llm.download import SourceError, download
from support.file_server import Answer, FileServer

SIZE = 300_000
CONTENT, OTHER = (random.Random(seed).randbytes(SIZE) for seed in (1, 2))
HALF = SIZE // 2


@pytest.fixture(autouse=True)
def without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer(CONTENT) as server:
        yield server


def fetch(server: FileServer, target: Path, **options: object) -> bytes:
    download(server.url, SIZE, target, pause=0.0, **options)  # type: ignore[arg-type]
    return target.read_bytes()


def test_a_file_arrives_and_its_bytes_are_counted(server: FileServer, tmp_path: Path) -> None:
    counts: list[int] = []
    assert fetch(server, tmp_path / "x", progress=counts.append) == CONTENT
    assert counts[0] == 0
    assert counts[-1] == SIZE
    assert counts == sorted(counts)


def test_a_connection_that_is_dropped_halfway_goes_on_from_there(server: FileServer, tmp_path: Path) -> None:
    server.plan = [Answer(drop=HALF), Answer(drop=1000)]
    assert fetch(server, tmp_path / "x") == CONTENT
    assert server.ranges == [None, f"bytes={HALF}-", f"bytes={HALF + 1000}-"]


def test_a_drop_is_noticed_where_the_server_announced_no_length(server: FileServer, tmp_path: Path) -> None:
    server.plan = [Answer(drop=HALF, sized=False), Answer(sized=False)]
    assert fetch(server, tmp_path / "x") == CONTENT
    assert server.ranges == [None, f"bytes={HALF}-"]


def test_the_next_call_goes_on_where_the_last_one_ended(server: FileServer, tmp_path: Path) -> None:
    server.plan = [Answer(drop=HALF), *[Answer(500)] * 4]
    with pytest.raises(SourceError, match=r"answered 500 Internal Server Error \(4 times\)"):
        fetch(server, tmp_path / "x")
    server.ranges.clear()
    assert fetch(server, tmp_path / "x") == CONTENT
    assert server.ranges == [f"bytes={HALF}-"]


def test_what_was_complete_is_not_asked_for_again(server: FileServer, tmp_path: Path) -> None:
    fetch(server, tmp_path / "x")
    server.ranges.clear()
    assert fetch(server, tmp_path / "x") == CONTENT
    assert server.ranges == []


def test_a_server_that_ignores_ranges_sends_it_all_again(server: FileServer, tmp_path: Path) -> None:
    server.plan = [Answer(drop=HALF), Answer(ranges=False)]
    assert fetch(server, tmp_path / "x") == CONTENT
    assert server.ranges == [None, f"bytes={HALF}-"]


@pytest.mark.parametrize("conditions", [True, False], ids=["If-Range", "no If-Range"])
def test_a_file_that_changed_meanwhile_is_fetched_from_its_start(
    server: FileServer, tmp_path: Path, conditions: bool
) -> None:
    server.plan = [Answer(drop=HALF), *[Answer(503)] * 4]
    with pytest.raises(SourceError):
        fetch(server, tmp_path / "x")
    server.content, server.etag = OTHER, '"two"'
    server.plan = [Answer(conditions=conditions)]
    server.ranges.clear()
    assert fetch(server, tmp_path / "x") == OTHER
    assert server.ranges == [f"bytes={HALF}-"] if conditions else [f"bytes={HALF}-", None]


@pytest.mark.parametrize("etag", [None, 'W/"one"'])
def test_without_a_strong_etag_nothing_is_joined(server: FileServer, tmp_path: Path, etag: str | None) -> None:
    server.etag = etag
    server.plan = [Answer(drop=HALF)]
    assert fetch(server, tmp_path / "x") == CONTENT
    assert server.ranges == [None, None]


def test_what_another_url_gave_is_not_continued(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(OTHER[:HALF])
    (tmp_path / "x.json").write_text(json.dumps({"url": "http://elsewhere/", "etag": server.etag}))
    assert fetch(server, tmp_path / "x") == CONTENT


def test_what_is_longer_than_the_file_is_dropped(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(CONTENT + b"more")
    (tmp_path / "x.json").write_text(json.dumps({"url": server.url, "etag": server.etag}))
    assert fetch(server, tmp_path / "x") == CONTENT


@pytest.mark.parametrize("note", ["", "{", "[]", "7", '{"url": 3}'])
def test_a_damaged_note_beside_the_file_is_as_none(server: FileServer, tmp_path: Path, note: str) -> None:
    (tmp_path / "x").write_bytes(OTHER[:HALF])
    (tmp_path / "x.json").write_text(note)
    assert fetch(server, tmp_path / "x") == CONTENT


def test_a_part_that_was_not_asked_for_is_refused(server: FileServer, tmp_path: Path) -> None:
    server.plan = [Answer(drop=HALF), Answer(shift=10)]
    assert fetch(server, tmp_path / "x") == CONTENT
    assert server.ranges == [None, f"bytes={HALF}-", None]


def test_a_server_whose_file_is_shorter_by_now_says_so(server: FileServer, tmp_path: Path) -> None:
    server.plan = [Answer(drop=HALF), *[Answer(503)] * 4]
    with pytest.raises(SourceError):
        fetch(server, tmp_path / "x")
    server.content = CONTENT[:HALF]
    with pytest.raises(SourceError, match="has 150,000 bytes, not 300,000"):
        fetch(server, tmp_path / "x")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(surplus=1), "has 300,001 bytes, not 300,000"),
        (Answer(surplus=1, sized=False), "has more than 300,000 bytes"),
        (Answer(404), "answered 404 Not Found"),
        (Answer(403), "answered 403 Forbidden"),
        (Answer(redirect="ftp://127.0.0.1/x"), "ftp"),
        (Answer(redirect="/model.gguf"), "redirects"),
    ],
)
def test_a_server_that_does_not_have_the_file_is_an_error(
    server: FileServer, tmp_path: Path, answer: Answer, message: str
) -> None:
    server.plan = [answer] * 100
    with pytest.raises(SourceError, match=message):
        fetch(server, tmp_path / "x")


def test_too_few_bytes_again_and_again_are_an_error(server: FileServer, tmp_path: Path) -> None:
    server.content = CONTENT[:-1]
    with pytest.raises(SourceError, match="has 299,999 bytes, not 300,000"):
        fetch(server, tmp_path / "x")
    server.plan = [Answer(sized=False)] * 10
    with pytest.raises(SourceError, match="ended after 299,999 of 300,000 bytes"):
        fetch(server, tmp_path / "x")
    server.plan = [Answer(sized=False, ranges=False)] * 10
    with pytest.raises(SourceError, match="ended after 299,999 of 300,000 bytes"):
        fetch(server, tmp_path / "x")


@pytest.mark.parametrize("drops", [[HALF], [HALF, 10, HALF, 10], [HALF, 1, HALF + 1, 1]])
def test_a_file_that_always_starts_again_and_never_ends_is_given_up(
    server: FileServer, tmp_path: Path, drops: list[int]
) -> None:
    server.etag = None
    server.plan = [Answer(drop=drop) for drop in drops] * 20
    with pytest.raises(SourceError, match=r"connection was lost.*\(4 times\)"):
        fetch(server, tmp_path / "x")


def test_a_redirect_is_followed_and_continued(server: FileServer, tmp_path: Path) -> None:
    elsewhere = Answer(redirect="/somewhere/else")
    server.plan = [elsewhere, Answer(drop=HALF), elsewhere, Answer()]
    assert fetch(server, tmp_path / "x") == CONTENT
    assert server.ranges == [None, None, f"bytes={HALF}-", f"bytes={HALF}-"]


def test_nobody_there_is_an_error_at_once(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/x"
    with pytest.raises(SourceError, match=r"cannot be reached .*refused"):
        download(url, SIZE, tmp_path / "x", pause=60.0)


def test_silence_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SILENCE_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(SourceError, match=r"nothing came for 0\.05 s \(4 times\)"):
            download(url, SIZE, tmp_path / "x", pause=0.0)


def test_a_full_disk_is_not_the_servers_fault(server: FileServer, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    (tmp_path / "x").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        fetch(server, tmp_path / "x")


answers = st.one_of(
    st.builds(
        Answer,
        drop=st.none() | st.integers(0, SIZE),
        sized=st.booleans(),
        ranges=st.booleans(),
        shift=st.sampled_from([0, 0, 0, -7, 9]),
        surplus=st.sampled_from([0, 0, 0, 5]),
    ),
    st.builds(Answer, status=st.sampled_from([404, 408, 416, 429, 500, 503])),
)


# Each client reads the machine's certificates, which takes most of the time.
@settings(max_examples=20)
@given(calls=st.lists(st.tuples(st.booleans(), st.lists(answers, max_size=6)), max_size=4))
def test_after_any_faults_a_call_that_returns_has_the_file_as_it_is_now(
    calls: list[tuple[bool, list[Answer]]],
) -> None:
    with FileServer(CONTENT) as server, tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "x"
        for changed, plan in [*calls, (False, [])]:
            if changed and not (target.exists() and target.stat().st_size == SIZE):
                server.content, server.etag = OTHER, '"two"'
            server.plan = list(plan)
            try:
                download(server.url, SIZE, target, pause=0.0)
            except SourceError:
                assert plan
            else:
                assert target.read_bytes() == server.content
