"""Evaluations as rows, and back as columns."""

from __future__ import annotations

import numpy as np
import pytest

from llmopt import Float, Permutation, Vector
from llmopt.runlog import rows
from llmopt.runlog.rows import Outcome
from llmopt.space import Space


@pytest.mark.parametrize("count", [0, 1, rows.CHUNK, rows.CHUNK + 1, 2 * rows.CHUNK + 5])
@pytest.mark.parametrize("space", [Vector(x=Float(-5, 5), y=Float(0, 1)), Permutation(4)])
def test_chunks_are_the_whole(space: Space[object], count: int) -> None:
    rng = np.random.default_rng(0)
    status = (np.arange(count) % 7 == 3).astype(np.int8)
    reasons = {i: f"broken {i}" for i in np.flatnonzero(status).tolist()}
    losses = np.where(status, np.nan, rng.normal(size=count))
    whole = Outcome(np.arange(count), np.zeros(count, np.int32), space.sample(count, rng), losses, status, reasons)
    parts = list(rows.chunks(whole))
    assert sum(map(len, parts)) == count and all(0 < len(part) <= rows.CHUNK for part in parts)
    stored = [row for part in parts for row in rows.rows(1, space, part, maximize=False)]
    assert stored == rows.rows(1, space, whole, maximize=False)
    # A reader has texts as bytes, and knows the run.
    read = [tuple(v.encode() if isinstance(v, str) else v for v in row[1:]) for row in stored]
    again, damaged = rows.read([read], space, maximize=False)
    assert damaged == 0 and again.reasons == whole.reasons
    assert np.array_equal(again.losses, whole.losses, equal_nan=True) and np.array_equal(again.calls, whole.calls)
