"""What a method that needs a number is told of an evaluation that has none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llmopt.history import Evaluations

UNSCORED = 1e30
"""The penalty until there is a first loss to measure by."""
LARGEST = 1e150
"""Losses are told as at most this much, above and below zero, so that squares of them stay finite."""


def finite_losses(evaluations: Evaluations) -> NDArray[np.float64]:
    """Return the losses, shape (B,); a failed or infeasible evaluation counts as the worst loss of the run so far.

    Finite, since differential evolution never ends on infinity and Powell and dual annealing raise; of the size
    of real losses, since models of the function (COBYQA's) would be bent by a huge number.
    """
    losses = evaluations.losses
    failed = np.isnan(losses)
    if failed.any():
        known = evaluations.history.losses
        losses[failed] = np.nanmax(known) if np.isfinite(known).any() else UNSCORED
    return np.clip(losses, -LARGEST, LARGEST)
