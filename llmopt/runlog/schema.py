"""The tables of a run log, version by version."""

from __future__ import annotations

import sqlite3

from llmopt.errors import InvalidInput

# "llmo", so that the file of another program is told from ours before anything is written to it.
APPLICATION = 0x6C6C6D6F

WITH_ITEMS = 2
"""The first version that has the table of item scores."""

STEPS: tuple[str, ...] = (
    """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        parent INTEGER REFERENCES runs (id),
        name TEXT NOT NULL,
        repeat INTEGER NOT NULL,
        seed INTEGER NOT NULL,
        identity TEXT NOT NULL,
        machine TEXT NOT NULL,
        began TEXT NOT NULL,
        ended TEXT,
        state TEXT NOT NULL,
        stop_reason TEXT,
        message TEXT,
        seconds REAL NOT NULL DEFAULT 0,
        cached_replies INTEGER NOT NULL DEFAULT 0,
        record TEXT
    );
    CREATE TABLE evaluations (
        run INTEGER NOT NULL REFERENCES runs (id),
        call INTEGER NOT NULL,
        step INTEGER NOT NULL,
        status TEXT NOT NULL,
        score REAL,
        solution TEXT NOT NULL,
        reason TEXT,
        checksum INTEGER NOT NULL,
        PRIMARY KEY (run, call)
    ) WITHOUT ROWID;
    CREATE TABLE texts (sha256 BLOB PRIMARY KEY, text TEXT NOT NULL);
    CREATE TABLE requests (
        run INTEGER NOT NULL REFERENCES runs (id),
        role TEXT NOT NULL,
        step INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        request INTEGER NOT NULL,
        sha256 BLOB NOT NULL,
        n INTEGER NOT NULL,
        prompt BLOB NOT NULL REFERENCES texts (sha256),
        grammar BLOB REFERENCES texts (sha256),
        schema BLOB REFERENCES texts (sha256),
        settings TEXT NOT NULL,
        PRIMARY KEY (run, role, step, attempt, request)
    ) WITHOUT ROWID;
    CREATE TABLE replies (
        run INTEGER NOT NULL REFERENCES runs (id),
        role TEXT NOT NULL,
        step INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        request INTEGER NOT NULL,
        sample INTEGER NOT NULL,
        finish TEXT NOT NULL,
        text TEXT NOT NULL,
        calls INTEGER NOT NULL,
        prompt_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL,
        checksum INTEGER NOT NULL,
        PRIMARY KEY (run, role, step, attempt, request, sample)
    ) WITHOUT ROWID;
    CREATE TABLE charges (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs (id),
        role TEXT NOT NULL,
        calls INTEGER NOT NULL,
        retries INTEGER NOT NULL,
        prompt_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL,
        unreported INTEGER NOT NULL,
        unreported_tokens INTEGER NOT NULL,
        seconds REAL NOT NULL,
        dollars REAL
    );
    CREATE INDEX charges_of_run ON charges (run);
    CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs (id),
        time TEXT NOT NULL,
        kind TEXT NOT NULL,
        call INTEGER NOT NULL,
        detail TEXT NOT NULL
    );
    """,
    """
    CREATE TABLE items (
        run INTEGER NOT NULL REFERENCES runs (id),
        solution BLOB NOT NULL,
        item INTEGER NOT NULL,
        score REAL NOT NULL,
        answer TEXT NOT NULL,
        checksum INTEGER NOT NULL,
        PRIMARY KEY (run, solution, item)
    ) WITHOUT ROWID;
    """,
)
"""Each entry brings a file from the version of its position to the next one; what is there is never changed."""


def version(connection: sqlite3.Connection, name: str) -> int:
    """Return the version of a file's tables; 0 for an empty file.

    Raises
    ------
    InvalidInput
        The file belongs to another program or to a newer llmopt.
    """
    [tables], [application], [found] = (
        connection.execute(question).fetchone()
        for question in ("SELECT count(*) FROM sqlite_master", "PRAGMA application_id", "PRAGMA user_version")
    )
    if application == APPLICATION and found > len(STEPS):
        raise InvalidInput(f"{name} was written by a newer llmopt (format {found}, known are 1 to {len(STEPS)})")
    if application == APPLICATION:
        return int(found)
    if application or found or tables:
        raise InvalidInput(f"{name} is the file of another program; give another folder")
    return 0


def migrate(connection: sqlite3.Connection, name: str) -> None:
    """Bring a file to the newest version, whole or not at all."""
    found = version(connection, name)
    if found == len(STEPS):
        return
    changes = "".join(STEPS[found:])
    connection.executescript(
        f"BEGIN IMMEDIATE; {changes} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {len(STEPS)}; COMMIT;"
    )
