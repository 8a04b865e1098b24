"""The no-repeat rule: candidates that are known already are drawn again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from llmopt.history import History
from llmopt.space import Columns, Space, join, length, take

TRIES = 20


def first_new(history: History, columns: Columns, n: int) -> Columns:
    """Return the first ``n`` candidates that are neither known nor equal to an earlier one; fewer where there
    are fewer."""
    _, fresh = history.match(history.space.keys(columns))
    return take(columns, np.flatnonzero(fresh)[:n])


def draw_new(
    history: History, n: int, rng: np.random.Generator, draw: Callable[[int, int], Columns] | None = None
) -> Columns:
    """Draw ``n`` candidates that are new, drawing again up to :data:`TRIES` times where some are known.

    What is missing then is drawn from the whole space, known or not, so that a step is never empty.

    Parameters
    ----------
    history
        What is known.
    n
        The number of candidates.
    rng
        For draws from the whole space.
    draw
        Called with ``n`` and the number of the try, from 0, so that later tries may reach further; by default
        draws are uniform.
    """
    columns = first_new(history, draw(n, 0) if draw else history.space.sample(n, rng), n)
    for attempt in range(1, TRIES):
        if length(columns) == n:
            return columns
        more = draw(n, attempt) if draw else history.space.sample(n, rng)
        columns = first_new(history, join([columns, more]), n)
    return fill(columns, n, history.space, rng)


def fill(columns: Columns, n: int, space: Space[Any], rng: np.random.Generator) -> Columns:
    """Return candidates with uniform draws appended until there are ``n``."""
    missing = n - length(columns)
    return join([columns, space.sample(missing, rng)]) if missing else columns
