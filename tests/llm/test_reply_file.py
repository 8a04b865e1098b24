"""Files that are not what a reply cache needs: one clear line, and never a wrong reply."""

from __future__ import annotations

import random
import sqlite3
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.errors import InvalidInput
from llmopt.llm import Request, reply_file
from llmopt.llm.base import Reply
from llmopt.llm.cache import Cached
from support.counting import REQUEST, CountingLLM, by_its_draw, texts
from support.models import FunctionLLM


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "replies.sqlite"


def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database at all, but long enough to be one" * 40)
    with sqlite3.connect(tmp_path / "foreign") as connection:
        connection.execute("CREATE TABLE replies (a)")
    connection.close()
    with sqlite3.connect(tmp_path / "other") as connection:
        connection.execute("PRAGMA application_id = 77")
    connection.close()
    with sqlite3.connect(tmp_path / "newer") as connection:
        connection.execute(f"PRAGMA application_id = {reply_file._APPLICATION}")
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    (tmp_path / "folder").mkdir()
    for name, message in {
        "text": "is no SQLite file; give another name, or delete it",
        "foreign": "is the file of another program",
        "other": "is the file of another program",
        "newer": "was written by a newer llmopt",
        "folder": "cannot be used: unable to open database file",
        "text/x": "cannot be made: ",
    }.items():
        before = (tmp_path / name).read_bytes() if (tmp_path / name).is_file() else b""
        with pytest.raises(InvalidInput, match=f"^reply cache .*{message}") as error:
            Cached(CountingLLM(), tmp_path / name)
        assert "\n" not in str(error.value)
        assert not before or (tmp_path / name).read_bytes() == before


def test_a_file_that_stays_locked_is_one_clear_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply_file, "_BUSY_SECONDS", 0.05)
    path.parent.mkdir()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(InvalidInput, match=r"was locked by another process for \d+ s"):
        Cached(CountingLLM(), path)
    holder.execute("ROLLBACK")
    with Cached(CountingLLM(), path) as llm:
        texts(llm)
        holder.execute("BEGIN EXCLUSIVE")
        assert texts(llm) == texts(llm)
        with pytest.raises(InvalidInput, match="was locked by another process"):
            texts(llm, replace(REQUEST, seed=8))
        holder.execute("ROLLBACK")
        texts(llm, replace(REQUEST, seed=8))
    holder.close()


def test_a_file_locked_for_a_moment_is_waited_for(path: Path) -> None:
    with Cached(CountingLLM(), path) as llm:
        holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        holder.execute("BEGIN EXCLUSIVE")
        timer = threading.Timer(0.2, holder.execute, ["ROLLBACK"])
        timer.start()
        assert texts(llm) == ["reply 0", "reply 1", "reply 2"]
        timer.join()
        holder.close()


def test_a_file_that_cannot_be_written_is_one_clear_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Cached(CountingLLM(), path) as llm:
        texts(llm)
        assert llm._file._connection is not None
        llm._file._connection.execute("PRAGMA query_only = 1")
        texts(llm)
        with pytest.raises(InvalidInput, match="cannot be used: attempt to write a readonly database"):
            texts(llm, replace(REQUEST, seed=8))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file with some hundred replies."""
    path = tmp_path_factory.mktemp("whole") / "x"
    with Cached(FunctionLLM(by_its_draw), path) as llm:
        llm.generate([Request("a", n=5, seed=seed) for seed in range(60)])
    return path.read_bytes()


@given(seed=st.integers(0, 2**32), flips=st.integers(0, 30), cut=st.none() | st.floats(0, 1))
def test_a_damaged_file_gives_right_replies_or_one_clear_line(
    whole: bytes, seed: int, flips: int, cut: float | None
) -> None:
    damaged = bytearray(whole if cut is None else whole[: int(cut * len(whole))])
    rng = random.Random(seed)
    for _ in range(flips if damaged else 0):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    work = [Request("a", n=5, seed=seed) for seed in range(70)]
    expected = [response.replies for response in FunctionLLM(by_its_draw).generate(work)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_bytes(damaged)
        try:
            with Cached(FunctionLLM(by_its_draw), path) as llm:
                assert [response.replies for response in llm.generate(work)] == expected
        except InvalidInput as error:
            assert str(error).startswith(f"reply cache {path} ")
            assert "\n" not in str(error)


def test_a_file_from_before_replies_had_likelihoods_is_read_and_goes_on(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA application_id = {reply_file._APPLICATION}")
        connection.execute("PRAGMA user_version = 1")
        connection.execute(reply_file._STEPS[0])
        # As llmopt wrote them then.
        key = bytes.fromhex("57fb642ed76e92ed863aafa4e5e251f3c4bbce639987bcb4c1b07e1f179ffd39")
        for sample, checksum in enumerate((2717587278, 1274267310)):
            row = (key, sample, "stop", f"reply {sample}".encode(), checksum)
            connection.execute("INSERT INTO replies VALUES (?, ?, ?, ?, ?)", row)
    connection.close()
    with Cached(CountingLLM(first=2), path) as llm:
        assert texts(llm) == ["reply 0", "reply 1", "reply 2"]
        assert llm.hits == 2
    with Cached(CountingLLM(), path) as llm:
        assert texts(llm) == ["reply 0", "reply 1", "reply 2"] and llm.hits == 3


def test_a_likelihood_that_was_changed_is_noticed(path: Path) -> None:
    request = replace(REQUEST, n=1, given="x")
    with Cached(FunctionLLM(lambda request, i: Reply("x", logprob=-1.5)), path) as llm:
        llm.generate([request])
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE replies SET logprob = -1.0")
        connection.close()
        with pytest.raises(InvalidInput, match="is damaged; delete it"):
            llm.generate([request])
