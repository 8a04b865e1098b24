"""What can be read of a damaged log is read and said; nothing is overwritten, and nothing ends in a traceback."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmopt import InvalidInput, LlmoptError, Vector, minimize
from llmopt.opro import OPRO
from llmopt.runlog import LogReader, RunLog
from support.models import obedient
from support.slow_run import Slow


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    minimize(Slow(), solver=OPRO(obedient()), max_evaluations=300, log=folder)
    return folder


def read(folder: Path) -> tuple[int, list[str]]:
    """Return how many evaluations can be read, all of which are right, and what is said of the others."""
    try:
        reader = LogReader(folder)
    except InvalidInput as error:
        assert "\n" not in str(error)
        return 0, [str(error)]
    with reader:
        count = 0
        for run in reader.runs():
            try:
                outcome = reader.outcome(run)
                space = run.space
            except InvalidInput as error:
                return 0, [*reader.damage, str(error)]
            assert isinstance(space, Vector)
            for i, loss in enumerate(outcome.losses):
                solution = space.row(outcome.columns, i)
                if outcome.status[i] == 0:
                    assert loss == Slow().evaluate(solution)
            reader.requests(run)
            reader.spent(run)
            count += len(outcome)
        return count, reader.damage


def damaged(whole: Path, tmp_path: Path, change: Callable[[bytearray], None]) -> Path:
    folder = tmp_path / "damaged"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    content = bytearray((whole / "run.sqlite").read_bytes())
    change(content)
    (folder / "run.sqlite").write_bytes(bytes(content))
    return folder


def test_an_undamaged_log_is_read_whole(whole: Path) -> None:
    assert read(whole) == (300, [])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1))
def test_a_truncated_file(whole: Path, tmp_path: Path, share: float) -> None:
    size = int(share * (whole / "run.sqlite").stat().st_size)

    def cut(content: bytearray) -> None:
        del content[size:]

    folder = damaged(whole, tmp_path, cut)
    before = (folder / "run.sqlite").read_bytes()
    count, said = read(folder)
    assert count == 300 or said
    assert (folder / "run.sqlite").read_bytes() == before


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9), flips=st.sampled_from([1, 5, 100]))
def test_flipped_bytes(whole: Path, tmp_path: Path, seed: int, flips: int) -> None:
    chance = random.Random(seed)

    def flip(content: bytearray) -> None:
        for _ in range(flips):
            content[chance.randrange(100, len(content))] ^= 1 << chance.randrange(8)

    folder = damaged(whole, tmp_path, flip)
    before = (folder / "run.sqlite").read_bytes()
    count, said = read(folder)
    assert count <= 300
    assert (folder / "run.sqlite").read_bytes() == before
    # A run goes on from a whole log, or not at all.
    if count < 300 and said:
        with pytest.raises(LlmoptError) as error:
            minimize(Slow(), solver=OPRO(obedient()), max_evaluations=300, log=folder)
        assert "\n" not in str(error.value)


def test_a_changed_score_is_noticed(whole: Path, tmp_path: Path) -> None:
    folder = damaged(whole, tmp_path, lambda content: None)
    with closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        connection.execute("UPDATE evaluations SET score = score + 1 WHERE call = 17")
        connection.execute("UPDATE replies SET text = 'w=1 b=1' WHERE step = 3 AND request = 0 AND sample = 0")
        connection.commit()
    with LogReader(folder) as reader:
        [run] = reader.runs()
        assert len(reader.outcome(run)) == 299
        reader.requests(run)
        assert reader.damage == [
            "run 1: 1 of its evaluations are damaged",
            "run 1: a reply of step 3 is damaged",
        ]
        with pytest.raises(InvalidInput, match=r"is damaged: .* Nothing was changed; 'llmopt export' saves"):
            reader.check()


def test_a_lost_write_ahead_log_leaves_what_was_in_the_file(tmp_path: Path) -> None:
    with RunLog(tmp_path / "log"):
        shutil.copytree(tmp_path / "log", tmp_path / "copy")
    (tmp_path / "copy" / "run.sqlite-wal").unlink(missing_ok=True)
    (tmp_path / "copy" / "run.sqlite-shm").unlink(missing_ok=True)
    assert read(tmp_path / "copy") == (0, [])
