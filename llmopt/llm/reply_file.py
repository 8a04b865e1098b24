"""Replies in an SQLite file that any number of threads and processes may share."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from llmopt.errors import InvalidInput, ModelError
from llmopt.llm.base import Reply

# "llmc", so that the file of another program is told from ours before anything is written to it.
_APPLICATION = 0x6C6C6D63
# Each brings a file from the version of its position to the next one; what is there is never changed.
_STEPS = (
    "CREATE TABLE replies (key BLOB, sample INTEGER, finish TEXT, text BLOB, checksum INTEGER, "
    "PRIMARY KEY (key, sample)) WITHOUT ROWID",
    "ALTER TABLE replies ADD COLUMN logprob REAL",
)
_VERSION = len(_STEPS)
_BUSY_SECONDS = 30.0
_FINISH: dict[object, Literal["stop", "length"]] = {"stop": "stop", "length": "length"}
_MEANING = {
    sqlite3.SQLITE_NOTADB: "is no SQLite file; give another name, or delete it",
    sqlite3.SQLITE_CORRUPT: "is damaged; delete it",
    sqlite3.SQLITE_BUSY: f"was locked by another process for {_BUSY_SECONDS:g} s",
}


class ReplyFile:
    """Maps a key and a sample's number to a reply; what is written once is never changed.

    Parameters
    ----------
    path
        The file; it is made where there is none.

    Raises
    ------
    InvalidInput
        By every method: the file belongs to another program, is damaged, stays locked, or cannot be read or
        written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._connection: sqlite3.Connection | None = self._open()

    def read(self, wanted: Mapping[bytes, int]) -> dict[bytes, dict[int, Reply]]:
        """Return, for every key, those of its first so many samples that are there."""
        found = {}
        with self._using() as connection:
            for key, size in wanted.items():
                rows = connection.execute(
                    "SELECT sample, finish, text, logprob, checksum FROM replies WHERE key = ? AND sample < ?",
                    (key, size),
                ).fetchall()
                found[key] = {sample: self._reply(key, sample, *rest) for sample, *rest in rows}
        return found

    def write(self, replies: Iterable[tuple[bytes, int, Reply]]) -> None:
        """Keep replies; one whose place is taken is left out."""
        rows = []
        for key, sample, reply in replies:
            # A model may end its reply in the middle of a character.
            text = reply.text.encode("utf-8", "surrogatepass")
            checksum = _checksum(key, sample, reply.finish_reason, text, reply.logprob)
            rows.append((key, sample, reply.finish_reason, text, checksum, reply.logprob))
        with self._using() as connection, _transaction(connection, "BEGIN IMMEDIATE"):
            connection.executemany("INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Close the file; may be called twice."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        if self._process != os.getpid():
            # SQLite forbids a forked process to use the connection that it inherited, and to close it.
            self._inherited = self._connection
            self._lock, self._process, self._connection = threading.Lock(), os.getpid(), self._open()
        with self._lock, self._explained():
            if self._connection is None:
                raise ModelError(f"the reply cache {self.path} was closed")
            yield self._connection

    def _open(self) -> sqlite3.Connection:
        with self._explained():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Bring the table to the newest version; refuse a file that is not ours before it is changed."""
        with _transaction(connection, "BEGIN"):
            found = self._version(connection)
        if found < _VERSION:
            with _transaction(connection, "BEGIN IMMEDIATE"):
                # Another process may have been quicker.
                for change in _STEPS[self._version(connection) :]:
                    connection.execute(change)
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                connection.execute(f"PRAGMA user_version = {_VERSION}")
        _write_ahead(connection)
        # A computer that loses its power may lose the last replies, but not the file.
        connection.execute("PRAGMA synchronous = NORMAL")

    def _version(self, connection: sqlite3.Connection) -> int:
        """Return the version of our table; 0 where the file is empty."""
        # A transaction begins with the first table that is read: from then on another process changes nothing.
        [tables], [application], [version] = (
            connection.execute(question).fetchone()
            for question in ("SELECT count(*) FROM sqlite_master", "PRAGMA application_id", "PRAGMA user_version")
        )
        if application == _APPLICATION and 1 <= version <= _VERSION and tables:
            return int(version)
        if application == _APPLICATION and version > _VERSION:
            raise InvalidInput(f"reply cache {self.path} was written by a newer llmopt; give another name")
        if application or version or tables:
            raise InvalidInput(f"reply cache {self.path} is the file of another program; give another name")
        return 0

    def _reply(self, key: bytes, sample: int, finish: object, text: object, logprob: Any, checksum: object) -> Reply:
        whole = isinstance(text, bytes) and _checksum(key, sample, finish, text, logprob) == checksum
        if isinstance(text, bytes) and whole and finish in _FINISH:
            return Reply(text.decode("utf-8", "surrogatepass"), _FINISH[finish], logprob)
        raise InvalidInput(f"reply cache {self.path} {_MEANING[sqlite3.SQLITE_CORRUPT]}")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            # The lowest byte is the kind of error, the others say more about it.
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            raise InvalidInput(f"reply cache {self.path} {_MEANING.get(code, f'cannot be used: {error}')}") from None
        except OSError as error:
            raise InvalidInput(f"reply cache {self.path} cannot be made: {error.strerror}") from None


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Let readers and a writer work at the same time; SQLite does not wait for its turn to change that itself."""
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _checksum(key: bytes, sample: object, finish: object, text: bytes, logprob: object) -> int:
    """SQLite notices a damaged structure, but not damaged content."""
    known = b"%b %b %b %b" % (key, str(sample).encode(), str(finish).encode(), text)
    # Without one as before there were any.
    return zlib.crc32(known if logprob is None else b"%b %b" % (known, repr(logprob).encode()))
