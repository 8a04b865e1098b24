"""What a log says of the requests to models: what was asked, and what came of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmopt.llm.base import Reply, Usage
from llmopt.runlog.damage import Damage
from llmopt.runlog.requests import checksum_of
from llmopt.runlog.texts import restored, text_digest

_TEXTS = ("prompt", "grammar", "schema")

Place = tuple[str, int, int]
"""Of a call of models: the role, the step, and the number of the role's call within the step."""


@dataclass(frozen=True)
class LoggedRequest:
    """A request to a model, and what came of it.

    Attributes
    ----------
    sha256
        What tells it from other requests; the number of replies does not.
    n
        Replies that were wanted.
    texts
        ``prompt``, and ``grammar`` and ``schema`` where there are.
    settings
        The rest of the request.
    replies
        Those that are there, by sample.
    usage
        What they cost together, each with the first reply of its call.
    """

    sha256: bytes
    n: int
    texts: Mapping[str, str]
    settings: Mapping[str, Any]
    replies: dict[int, Reply] = field(default_factory=dict)
    usage: list[Usage] = field(default_factory=list)


def read(connection: sqlite3.Connection, run: int, damage: Damage) -> dict[Place, list[LoggedRequest]]:
    """Return what models were asked in a run, and what they replied, as far as it can be read; in the order of the
    steps."""
    found: dict[Place, list[LoggedRequest]] = {}
    texts: dict[bytes, str] = {}
    with damage.reading(f"what models were asked in run {run}"):
        for role, step, attempt, number, sha256, n, *hashes, settings in connection.execute(
            "SELECT role, step, attempt, request, sha256, n, prompt, grammar, schema, settings FROM requests "
            "WHERE run = ? ORDER BY step, role, attempt, request",
            (run,),
        ):
            listed = found.setdefault((role, step, attempt), [])
            if number != len(listed):
                damage.note(f"run {run}: a request of step {step} is missing")
                continue
            try:
                rest = json.loads(settings)
            except ValueError:
                rest = {}
                damage.note(f"run {run}: a request of step {step} is damaged")
            names = {name: key for name, key in zip(_TEXTS, hashes, strict=True) if key is not None}
            named = {name: _text(connection, key, texts, damage) for name, key in names.items()}
            listed.append(LoggedRequest(sha256, n, named, rest))
    _add_replies(connection, run, found, damage)
    return found


def _text(connection: sqlite3.Connection, key: bytes, known: dict[bytes, str], damage: Damage) -> str:
    if key not in known:
        row = connection.execute("SELECT text FROM texts WHERE sha256 = ?", (key,)).fetchone()
        text = "" if row is None else restored(row[0])
        if text_digest(text) != key:
            damage.note("a text that models were given is damaged")
        known[key] = text
    return known[key]


def _add_replies(
    connection: sqlite3.Connection, run: int, requests: Mapping[Place, list[LoggedRequest]], damage: Damage
) -> None:
    with damage.reading(f"the replies of run {run}"):
        for *row, checksum in connection.execute(
            "SELECT role, step, attempt, request, sample, finish, text, calls, prompt_tokens, cached_tokens, "
            "completion_tokens, checksum FROM replies WHERE run = ? "
            "ORDER BY step, role, attempt, request, sample",
            (run,),
        ):
            role, step, attempt, number, sample, finish, text, *usage = row
            listed = requests.get((role, step, attempt), [])
            whole = checksum_of(tuple(row)) == checksum and finish in ("stop", "length")
            if not whole or not 0 <= number < len(listed):
                damage.note(f"run {run}: a reply of step {step} is damaged")
                continue
            listed[number].replies[sample] = Reply(restored(text), finish)
            listed[number].usage.append(Usage(*usage))
