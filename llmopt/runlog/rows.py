"""Evaluations as rows of a log, and back as columns."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput
from llmopt.history import STATUSES, History
from llmopt.space import Columns, Space

INSERT = "INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
SELECT = "SELECT call, step, status, score, solution, reason, checksum FROM evaluations WHERE run = ? ORDER BY call"

CHUNK = 8_192
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_CODES = {name: code for code, name in enumerate(STATUSES)}

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
    scores = ((-outcome.losses if maximize else outcome.losses) + 0.0).tolist()
    found = []
    for i, (call, step, status, score, solution) in enumerate(
        zip(
            outcome.calls.tolist(),
            outcome.steps.tolist(),
            outcome.status.tolist(),
            scores,
            space.rows_to_json(outcome.columns),
            strict=True,
        )
    ):
        row = (
            call,
            step,
            STATUSES[status],
            None if math.isnan(score) else score,
            _encode(solution),
            outcome.reasons.get(i),
        )
        found.append((run, *row, checksum(row)))
    return found


def checksum(row: Sequence[Any]) -> int:
    """SQLite notices a damaged structure, but not damaged content."""
    return zlib.crc32(ascii(row).encode())


def read(found: Iterable[Row], space: Space[Any], *, maximize: bool) -> tuple[Outcome, int]:
    """Return evaluations from their rows, and how many rows were left out because they are damaged.

    Raises
    ------
    sqlite3.Error
        As ``found`` raises it; see :func:`llmopt.runlog.reader.LogReader.evaluations` for a file that is damaged.
    """
    parts = []
    damaged = 0
    chunk: list[Row] = []
    for row in found:
        chunk.append(row)
        if len(chunk) == CHUNK:
            parts.append(_part(chunk, space, maximize))
            damaged += len(chunk) - len(parts[-1])
            chunk = []
    parts.append(_part(chunk, space, maximize))
    damaged += len(chunk) - len(parts[-1])
    return _joined(parts), damaged


def _part(chunk: Sequence[Row], space: Space[Any], maximize: bool) -> Outcome:
    whole = [row for row in chunk if checksum(row[:-1]) == row[-1]]
    try:
        return _outcome(whole, space, maximize)
    except (ValueError, KeyError, TypeError, InvalidInput):
        # Rows that are as they were written, but by somebody else: each by itself.
        return _outcome([row for row in whole if _legal(row, space, maximize)], space, maximize)


def _legal(row: Row, space: Space[Any], maximize: bool) -> bool:
    try:
        _outcome([row], space, maximize)
    except (ValueError, KeyError, TypeError, InvalidInput):
        return False
    return True


def _outcome(found: Sequence[Row], space: Space[Any], maximize: bool) -> Outcome:
    calls, steps, status, scores, solutions, reasons = (
        ([row[i] for row in found] for i in range(6)) if found else ([], [], [], [], [], [])
    )
    values = json.loads(f"[{','.join(solutions)}]")
    if len(values) != len(found):
        raise ValueError
    losses = np.array([math.nan if score is None else score for score in scores], dtype=np.float64)
    return Outcome(
        np.array(calls, dtype=np.int64),
        np.array(steps, dtype=np.int32),
        space.rows_from_json(values),
        (-losses if maximize else losses) + 0.0,
        np.array([_CODES[name] for name in status], dtype=np.int8),
        {i: reason for i, reason in enumerate(reasons) if reason is not None},
    )


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
