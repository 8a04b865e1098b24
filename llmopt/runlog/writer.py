"""Writes to a log in the background: grouped, and on the disk when that is asked for."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

from llmopt.errors import LogError

GROUP_SECONDS = 0.01
"""What comes within this time is committed together; with the commit itself, nothing waits for 20 ms."""

_MOST_PENDING = 200_000

Statement = tuple[str, Sequence[Sequence[Any]]]


class Sink(Protocol):
    """Takes what is to be written to a log."""

    def put(self, *statements: Statement) -> None:
        """Have statements written soon; all of one call are committed together."""

    def flush(self) -> None:
        """Return when what was put is as safe as it can be made from here."""


class Writer:
    """The only user of a connection: takes statements from any thread and commits them in their order.

    Parameters
    ----------
    connection
        An open log, with ``check_same_thread=False``; it is closed with this object.
    name
        The log's name for messages.
    """

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._changed = threading.Condition()
        self._pending: list[Statement] = []
        self._rows = 0
        self._put = 0
        self._done = 0
        self._urgent = False
        self._closing = False
        self._failure: str | None = None
        # Ends with the process: what a run leaves behind has been flushed.
        self._thread = threading.Thread(target=self._work, name="llmopt-log", daemon=True)
        self._thread.start()

    def put(self, *statements: Statement) -> None:
        """Have statements written soon; all of one call are committed together.

        Raises
        ------
        LogError
            What was put earlier could not be written.
        """
        with self._changed:
            while self._rows > _MOST_PENDING and self._failure is None:
                self._urgent = True
                self._changed.notify_all()
                self._changed.wait()
            self._check()
            self._pending += statements
            self._rows += sum(len(rows) for _, rows in statements)
            self._put += len(statements)
            self._changed.notify_all()

    def flush(self) -> None:
        """Return when everything that was put is on the disk.

        Raises
        ------
        LogError
            It could not be written.
        """
        with self._changed:
            last = self._put
            self._urgent = True
            self._changed.notify_all()
            while self._done < last and self._failure is None:
                self._changed.wait()
            self._check()

    def close(self) -> None:
        """Write what is left and close the connection; may be called twice."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        with suppress(sqlite3.Error):
            # One file without others beside it, unless somebody is reading.
            self._connection.execute("PRAGMA busy_timeout = 0")
            self._connection.execute("PRAGMA journal_mode = DELETE")
        self._connection.close()

    def _check(self) -> None:
        if self._failure is not None:
            raise LogError(f"the log {self._name} cannot be written: {self._failure}; what was written before is kept")
        if self._closing:
            raise LogError(f"the log {self._name} was closed")

    def _work(self) -> None:
        while batch := self._next():
            failure = None
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                for sql, rows in batch:
                    self._connection.executemany(sql, rows)
                self._connection.execute("COMMIT")
            except (sqlite3.Error, OverflowError, ValueError) as error:
                failure = str(error)
                if self._connection.in_transaction:
                    self._connection.rollback()
            with self._changed:
                self._done += len(batch)
                self._failure = self._failure or failure
                self._changed.notify_all()

    def _next(self) -> list[Statement]:
        """Return what is to be committed next; nothing when there is no more to come."""
        with self._changed:
            while not self._pending and not self._closing:
                self._urgent = False
                self._changed.wait()
            if not (self._urgent or self._closing):
                self._changed.wait_for(lambda: self._urgent or self._closing, GROUP_SECONDS)
            batch, self._pending, self._rows = self._pending, [], 0
            return batch if self._failure is None else []
