"""Which evaluations a prompt shows, and in which order."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from llmopt.history import History

Order = Literal["worst", "oldest", "best", "random"]
"""What comes first."""


def trajectory(history: History, k: int, order: Order, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the rows of the ``k`` best evaluations in the order in which they are shown."""
    best = history.best(k)
    if order == "oldest":
        return np.sort(best)
    if order == "random":
        return rng.permutation(best)
    return best if order == "best" else best[::-1]
