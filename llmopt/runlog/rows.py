"""Evaluations as rows of a log, and back as columns."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from llmopt.errors import InvalidInput
from llmopt.history import STATUSES, History
from llmopt.space import Columns, Space, take

INSERT = "INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
SELECT = "SELECT call, step, status, score, solution, reason, checksum FROM evaluations WHERE run = ? ORDER BY call"

CHUNK = 8_192
_CODES = {name.encode(): code for code, name in enumerate(STATUSES)}
_ILLEGAL = (ValueError, KeyError, TypeError, OverflowError, AttributeError, InvalidInput)

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Outcome:
    """Evaluations with their outcomes, as columns of length B.

    ``calls`` are their places in the run, ``losses`` are minimized and NaN where there is no score, ``reasons`` maps
    positions to texts.
    """

    calls: NDArray[np.int64]
    steps: NDArray[np.int32]
    columns: Columns
    losses: NDArray[np.float64]
    status: NDArray[np.int8]
    reasons: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.calls)


def rows(run: int, space: Space[Any], outcome: Outcome, *, maximize: bool) -> list[Row]:
    """Return the rows of evaluations; solutions as JSON text, scores in the user's own sign."""
    # Adding 0.0 turns -0.0 into 0.0, which is what SQLite makes of it.
    scores = (-outcome.losses if maximize else outcome.losses) + 0.0
    solutions = [_text(value) for value in space.rows_to_json(outcome.columns)]
    reasons = [outcome.reasons.get(i) for i in range(len(outcome))] if outcome.reasons else [None] * len(outcome)
    checksums = _checksums(
        outcome.calls,
        outcome.steps,
        outcome.status,
        scores,
        solutions,
        [None if reason is None else reason.encode("utf-8", "surrogatepass") for reason in reasons],
    )
    return [
        (run, call, step, STATUSES[status], None if score != score else score, solution, reason, checksum)
        for call, step, status, score, solution, reason, checksum in zip(
            outcome.calls.tolist(),
            outcome.steps.tolist(),
            outcome.status.tolist(),
            scores.tolist(),
            map(bytes.decode, solutions),
            reasons,
            checksums.tolist(),
            strict=True,
        )
    ]


def chunks(outcome: Outcome) -> Iterator[Outcome]:
    """Yield evaluations in parts of at most ``CHUNK``."""
    if 0 < len(outcome) <= CHUNK:
        yield outcome
        return
    for first in range(0, len(outcome), CHUNK):
        part = slice(first, first + CHUNK)
        yield Outcome(
            outcome.calls[part],
            outcome.steps[part],
            take(outcome.columns, part),
            outcome.losses[part],
            outcome.status[part],
            {i - first: reason for i, reason in outcome.reasons.items() if first <= i < first + CHUNK},
        )


def _checksums(
    calls: NDArray[Any],
    steps: NDArray[Any],
    status: NDArray[Any],
    scores: NDArray[np.float64],
    solutions: Sequence[bytes],
    reasons: Sequence[bytes | None],
) -> NDArray[np.int64]:
    """Return a number for each row that changes with any of its values: SQLite notices a damaged structure, but not
    damaged content. CRC-32 of the texts, and the finalizer of MurmurHash3 over the numbers."""
    texts = np.array([zlib.crc32(text) for text in solutions], dtype=np.uint64)
    if any(reasons):
        texts += np.array([zlib.crc32(reason, 1) if reason else 0 for reason in reasons], dtype=np.uint64)
    mixed = texts
    bits = np.where(np.isnan(scores), 0.5, scores).view(np.uint64)
    for numbers in (calls.astype(np.uint64), steps.astype(np.uint64), status.astype(np.uint64), bits):
        mixed = _mix(mixed ^ numbers)
    return (mixed >> np.uint64(32)).astype(np.int64)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    for shift, factor in ((33, 0xFF51AFD7ED558CCD), (33, 0xC4CEB9FE1A85EC53)):
        values = (values ^ (values >> np.uint64(shift))) * np.uint64(factor)
    return values ^ (values >> np.uint64(33))


def read(chunks: Iterable[Sequence[Row]], space: Space[Any], *, maximize: bool) -> tuple[Outcome, int]:
    """Return evaluations from their rows, texts as bytes, and how many rows were left out since they are damaged."""
    parts = [_outcome([], space, maximize)]
    damaged = 0
    for chunk in chunks:
        parts.append(_part(chunk, space, maximize))
        damaged += len(chunk) - len(parts[-1])
    return _joined(parts), damaged


def _part(chunk: Sequence[Row], space: Space[Any], maximize: bool) -> Outcome:
    try:
        return _outcome(chunk, space, maximize)
    except _ILLEGAL:
        return _outcome([row for row in chunk if _is_whole(row, space, maximize)], space, maximize)


def _is_whole(row: Row, space: Space[Any], maximize: bool) -> bool:
    try:
        _outcome([row], space, maximize)
    except _ILLEGAL:
        return False
    return True


def _outcome(found: Sequence[Row], space: Space[Any], maximize: bool) -> Outcome:
    """Raise one of ``_ILLEGAL`` where a row is not as it was written."""
    calls, steps, status, scores, solutions, reasons, checksums = zip(*found, strict=True) if found else [()] * 7
    numbers = np.array(calls, dtype=np.int64), np.array(steps, dtype=np.int32)
    codes = np.array([_CODES[name] for name in status], dtype=np.int8)
    # None is NaN to NumPy.
    values = np.array(scores, dtype=np.float64)
    if not np.array_equal(_checksums(*numbers, codes, values, solutions, reasons), np.array(checksums, dtype=np.int64)):
        raise ValueError
    return Outcome(
        *numbers,
        _columns(solutions, space),
        (-values if maximize else values) + 0.0,
        codes,
        {i: reason.decode("utf-8", "surrogatepass") for i, reason in enumerate(reasons) if reason is not None},
    )


def _text(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        # Whole numbers beyond 64 bits, and half characters.
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _columns(solutions: Sequence[bytes], space: Space[Any]) -> Columns:
    text = b"[" + b",".join(solutions) + b"]"
    for loads in (orjson.loads, json.loads):
        try:
            decoded = loads(text)
            if len(decoded) == len(solutions):
                return space.rows_from_json(decoded)
        except _ILLEGAL:
            continue
    raise ValueError


def _joined(parts: Sequence[Outcome]) -> Outcome:
    reasons: dict[int, str] = {}
    first = 0
    for part in parts:
        reasons |= {first + i: reason for i, reason in part.reasons.items()}
        first += len(part)
    return Outcome(
        np.concatenate([part.calls for part in parts]),
        np.concatenate([part.steps for part in parts]),
        {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns},
        np.concatenate([part.losses for part in parts]),
        np.concatenate([part.status for part in parts]),
        reasons,
    )


def history(space: Space[Any], outcome: Outcome, *, maximize: bool, noisy: bool) -> History:
    """Return evaluations as a history, in the order of their calls."""
    result = History(space, maximize=maximize)
    keys = None if noisy else space.keys(outcome.columns)
    result.append(outcome.columns, outcome.losses, outcome.status, outcome.steps, outcome.reasons, keys)
    return result
