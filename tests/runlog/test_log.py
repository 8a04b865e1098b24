"""One process writes a log, others read it; its format is known and migrates."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from llmopt import Budget, InvalidInput, LogError, minimize, run
from llmopt.runlog import LogReader, RunLog, Slot, filesystem, schema
from llmopt.runlog.lock import is_held
from llmopt.runlog.logged_run import LoggedRun, read_run
from llmopt.runlog.writer import Writer
from support.commands import environment
from support.logs import BUDGET, PROBLEM
from support.slow_run import Slow, solver


def write(folder: Path) -> None:
    with RunLog(folder) as log:
        run(PROBLEM, solver("random", None), BUDGET, log=Slot(log))


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write(tmp_path)
    return tmp_path


def test_what_a_run_was_is_recorded_once(written: Path) -> None:
    with LogReader(written) as reader:
        [found] = reader.runs()
    assert (found.state, found.stop_reason, found.evaluations, found.seed) == ("done", "evaluations", 10, 0)
    assert found.identity["versions"].keys() >= {"llmopt", "numpy", "python", "optuna"}
    assert found.identity["budget"]["evaluations"] == 10
    assert found.machine.keys() == {"system", "cpus", "memory_gb"}
    assert found.ended is not None and found.ended > found.began


def test_any_sqlite_tool_reads_the_log(written: Path) -> None:
    assert sorted(path.name for path in written.iterdir()) == ["run.lock", "run.sqlite"]
    with closing(sqlite3.connect(written / "run.sqlite")) as connection:
        rows = connection.execute("SELECT call, step, status, score, solution FROM evaluations").fetchall()
    with LogReader(written) as reader:
        history = reader.history(reader.runs()[0])
    assert rows == [
        (i, e.step, e.status, e.score, json.dumps(e.solution, separators=(",", ":"))) for i, e in enumerate(history)
    ]


def test_a_second_writer_learns_who_the_first_one_is(tmp_path: Path) -> None:
    with RunLog(tmp_path), pytest.raises(InvalidInput, match=rf"is being written by process {os.getpid()} on .* since"):
        RunLog(tmp_path)
    program = "import sys, time; from llmopt.runlog import RunLog; RunLog(sys.argv[1]); print(); time.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, env=environment()
    )
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(InvalidInput, match=rf"is being written by process {process.pid} on .*; wait until it ends"):
        minimize(PROBLEM, solver="random", log=tmp_path)
    assert is_held(tmp_path / "run.lock")
    process.kill()
    process.communicate()
    # A lock ends with its process.
    assert not is_held(tmp_path / "run.lock")
    write(tmp_path)


def test_readers_come_at_any_time(tmp_path: Path) -> None:
    counts = []
    with RunLog(tmp_path) as log:
        thread = threading.Thread(
            target=run, args=(Slow(seconds=0.03), solver("random", None), BUDGET), kwargs={"log": Slot(log)}
        )
        thread.start()
        while thread.is_alive():
            with LogReader(tmp_path) as reader:
                for found in reader.runs():
                    counts.append(len(reader.history(found)))
                    assert found.state in ("running", "done")
                    assert reader.damage == []
            time.sleep(0.02)
        thread.join()
    assert counts == sorted(counts)
    assert len(set(counts)) > 2


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    partitions = [
        SimpleNamespace(mountpoint="/", fstype="ext4"),
        SimpleNamespace(mountpoint=str(tmp_path), fstype="nfs4"),
        SimpleNamespace(mountpoint=str(tmp_path / "local"), fstype="xfs"),
        SimpleNamespace(mountpoint=str(tmp_path / "mounted"), fstype="fuse.sshfs"),
    ]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: partitions)
    yield "nfs4"


def test_on_a_network_file_system_a_safe_journal_is_used_and_said(tmp_path: Path, network: str) -> None:
    folder = tmp_path / "run"
    with RunLog(folder) as log:
        assert log.remark == f"{folder} is on a network file system ({network}): journal mode delete, which is slower"
        run(PROBLEM, solver("random", None), BUDGET, log=Slot(log))
        assert not (folder / "run.sqlite-wal").exists()
    with LogReader(folder) as reader:
        assert reader.runs()[0].evaluations == 10
    assert filesystem.network(tmp_path / "local" / "deep") is None
    assert filesystem.network(tmp_path / "mounted" / "deep") == "fuse.sshfs"


def test_a_local_disk_has_a_write_ahead_log(tmp_path: Path) -> None:
    with RunLog(tmp_path) as log:
        assert log.remark == ""
        with closing(sqlite3.connect(tmp_path / "run.sqlite")) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_an_older_format_is_migrated_whole(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, "CREATE TABLE notes (text TEXT); SELECT broken;"))
    with pytest.raises(InvalidInput, match="cannot be used: no such column: broken; nothing was changed"):
        RunLog(written)
    monkeypatch.undo()
    newer = len(schema.STEPS) + 1
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, "CREATE TABLE notes (text TEXT);"))
    write(written)
    with closing(sqlite3.connect(written / "run.sqlite")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (newer,)
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM evaluations").fetchone() == (10,)
    monkeypatch.undo()
    for use in (RunLog, LogReader):
        with pytest.raises(InvalidInput, match="was written by a newer llmopt"):
            use(written)


def test_the_file_of_another_program_is_not_touched(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "run.sqlite")) as connection:
        connection.execute("CREATE TABLE theirs (x)")
        connection.commit()
    before = (tmp_path / "run.sqlite").read_bytes()
    for use in (RunLog, LogReader):
        with pytest.raises(InvalidInput, match="is the file of another program; give another folder"):
            use(tmp_path)
    assert (tmp_path / "run.sqlite").read_bytes() == before


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match=r"file/run cannot be made: Not a directory"):
        RunLog(tmp_path / "file" / "run")
    (tmp_path / "run.lock").write_text("not a lock, and rather long for an empty file" * 100)
    with pytest.raises(InvalidInput, match=r"run\.lock is not a lock file; delete it if no process writes"):
        RunLog(tmp_path)


def test_what_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.sqlite", check_same_thread=False, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (x INTEGER NOT NULL)")
        writer = Writer(connection, "x.sqlite")
        writer.put(("INSERT INTO t VALUES (?)", [(1,), (2,)]))
        writer.flush()
        writer.put(("INSERT INTO t VALUES (?)", [(3,)]), ("INSERT INTO t VALUES (?)", [(None,)]))
        with pytest.raises(LogError, match=r"x\.sqlite cannot be written: NOT NULL .*; what was written"):
            writer.flush()
        with pytest.raises(LogError):
            writer.put(("INSERT INTO t VALUES (?)", [(4,)]))
        writer.close()
        writer.close()
    with closing(sqlite3.connect(tmp_path / "x.sqlite")) as connection:
        assert connection.execute("SELECT x FROM t").fetchall() == [(1,), (2,)]


def test_what_threads_put_is_committed_in_each_threads_order(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.sqlite", check_same_thread=False, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (thread INTEGER, number INTEGER)")
        writer = Writer(connection, "x.sqlite")

        def put(thread: int) -> None:
            for number in range(200):
                writer.put(("INSERT INTO t VALUES (?, ?)", [(thread, number)]))
                if number % 50 == 0:
                    writer.flush()

        threads = [threading.Thread(target=put, args=(thread,)) for thread in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        writer.flush()
        for i in range(4):
            numbers = connection.execute("SELECT number FROM t WHERE thread = ? ORDER BY rowid", (i,)).fetchall()
            assert numbers == [(number,) for number in range(200)]
        writer.close()


def test_a_run_of_nothing_is_a_run(tmp_path: Path) -> None:
    with RunLog(tmp_path) as log:
        result = run(PROBLEM, solver("random", None), Budget(evaluations=3), starts=[], log=Slot(log))
    assert len(result.history) == 3


def test_the_latest_run_of_a_name_and_repeat_is_found_without_reading_the_others_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers: list[int] = []

    def counted(row: tuple[Any, ...], *rest: Any) -> LoggedRun:
        numbers.append(row[0])
        return read_run(row, *rest)

    monkeypatch.setattr("llmopt.runlog.reader.read_run", counted)
    with RunLog(tmp_path) as log:
        for repeat in range(20):
            run(PROBLEM, solver("random", None), BUDGET, log=Slot(log, repeat=repeat))
        run(PROBLEM, solver("random", None), BUDGET, log=Slot(log, repeat=7, fork=True))
        assert numbers == [8]
        found = log.find("run", 7)
        assert found is not None and (found.id, found.parent) == (21, 8)
        assert log.find("run", 20) is None and log.find("other", 7) is None


def test_no_run_begins_beside_one_that_cannot_be_read(tmp_path: Path) -> None:
    with RunLog(tmp_path) as log:
        for repeat in range(2):
            run(PROBLEM, solver("random", None), BUDGET, log=Slot(log, repeat=repeat))
    with closing(sqlite3.connect(tmp_path / "run.sqlite")) as connection:
        connection.execute("UPDATE runs SET repeat = 'x', identity = '{' WHERE id = 1")
        connection.commit()
    for repeat in range(2):
        with RunLog(tmp_path) as log, pytest.raises(InvalidInput, match="is damaged: run 1 is damaged"):
            run(PROBLEM, solver("random", None), BUDGET, log=Slot(log, repeat=repeat))
