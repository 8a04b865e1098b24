"""The right to write a log: one process at a time, and whoever comes second learns who has it."""

from __future__ import annotations

import os
import platform
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from llmopt.errors import InvalidInput

_WAIT_SECONDS = 2.0


class WriterLock:
    """Holds the right to write until it is closed or the process ends, however that ends.

    The lock is an open transaction on a file of its own: SQLite's locks work on network file systems too, end with
    the process, are not inherited by child processes, and others can read in the file who holds it.

    Parameters
    ----------
    path
        The lock's file; it stays where it is when the lock is free.

    Raises
    ------
    InvalidInput
        Another process, or another part of this one, has the lock; or the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise InvalidInput(f"{path.parent} cannot be written: {error}") from None
        try:
            self._take()
        except sqlite3.Error as error:
            self._connection.close()
            raise self._refused(error) from None

    def _take(self) -> None:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        # Readers of the holder's name are done in no time.
        execute(f"PRAGMA busy_timeout = {int(_WAIT_SECONDS * 1000)}")
        execute("CREATE TABLE IF NOT EXISTS holder (text TEXT NOT NULL)")
        execute("DELETE FROM holder")
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        execute("INSERT INTO holder VALUES (?)", (f"process {os.getpid()} on {platform.node()}, since {now}",))
        execute("COMMIT")
        execute("PRAGMA busy_timeout = 0")
        execute("BEGIN IMMEDIATE")

    def _refused(self, error: sqlite3.Error) -> InvalidInput:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            return InvalidInput(
                f"{self._path.parent} is being written by {holder(self._path) or 'another process'}; wait until it "
                "ends, or give another folder"
            )
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            return InvalidInput(f"{self._path} is not a lock file; delete it if no process writes {self._path.parent}")
        return InvalidInput(f"{self._path.parent} cannot be written: {error}")

    def close(self) -> None:
        """Give the right back; may be called twice."""
        self._connection.close()


def holder(path: Path) -> str:
    """Return who wrote its name into a lock file last; empty where that cannot be read."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_WAIT_SECONDS)) as found:
            row = found.execute("SELECT text FROM holder").fetchone()
    except sqlite3.Error:
        return ""
    return str(row[0]) if row else ""


def is_held(path: Path) -> bool:
    """Return whether a process holds a lock at the moment."""
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=0)) as trial:
            trial.isolation_level = None
            trial.execute("BEGIN IMMEDIATE")
            trial.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    except sqlite3.Error:
        return False
    return False
