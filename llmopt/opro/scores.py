"""How scores are shown to a model."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput

ScoreForm = Literal["rounded", "rescaled", "ranked", "hidden"]

LEVELS = 1_000


def shown_losses(losses: NDArray[np.float64], form: ScoreForm, digits: int = 0) -> tuple[list[str], str]:
    """Return the texts of losses, which come worst first, and the text of a better one to ask for.

    Parameters
    ----------
    losses
        Finite losses, worst first, shape (k,).
    form
        ``"rounded"``: the loss itself with ``digits`` decimals, and half the best as the target (where the best
        is positive; below zero, twice it). ``"rescaled"``: whole numbers on a scale that is linear in the loss,
        with the worst shown at 1,000 and the target, at 0, below the best by a share of the spread; invariant
        under any positive affine change of the score. ``"ranked"``: the rank, the best 1, the target 0; invariant
        under any increasing change. ``"hidden"``: nothing.
    """
    k = len(losses)
    if k == 0:
        return [], "0"
    if form == "hidden":
        return [""] * k, ""
    if form == "ranked":
        return [str(k - i) for i in range(k)], "0"
    if form == "rounded":
        best = float(losses[-1])
        return [_plain(x, digits) for x in losses], _plain(best / 2 if best > 0 else best * 2 - 1, digits)
    if form == "rescaled":
        best = float(losses[-1])
        # Ends first scaled to at most 1, so that no difference overflows.
        scale = max(1.0, float(np.max(np.abs(losses))))
        excess = losses / scale - best / scale
        spread = float(excess[0])
        margin = float(np.median(excess)) / 2 or spread / 2 or 1.0
        values = np.rint(LEVELS * (excess + margin) / (spread + margin)).astype(int)
        return [str(v) for v in values], "0"
    raise InvalidInput(f"scores must be rounded, rescaled, ranked or hidden, not {form!r}")


def _plain(number: float, digits: int) -> str:
    # Numbers too long to read go to four significant digits.
    return f"{number:.{digits}f}" if abs(number) < 1e12 else f"{number:.3e}"
