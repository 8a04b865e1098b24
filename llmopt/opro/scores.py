"""How scores are shown to a model."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput

ScoreForm = Literal["rounded", "rescaled", "ranked", "shuffled", "hidden"]

LEVELS = 1_000
_LEAST = float(np.finfo(np.float64).min)


def shown_losses(
    losses: NDArray[np.float64], form: ScoreForm, digits: int | None = 0, levels: int = LEVELS
) -> tuple[list[str], str]:
    """Return the texts of losses, which come worst first, and the text of a better one to ask for.

    Parameters
    ----------
    losses
        Finite losses, worst first, shape (k,).
    form
        ``"rounded"``: the loss itself with ``digits`` decimals, and half the best as the target (where the best
        is positive; below zero, twice it). ``"rescaled"``: whole numbers from ``levels`` for the worst down to
        1, the target 0 below the best by a share of the spread; linear in the loss, logarithmic in the distance
        to the best where outliers would leave the others on one level; invariant under any positive affine
        change of the score. ``"ranked"``: the rank, the best 1, the target 0; invariant under any increasing
        change. ``"hidden"``: nothing. ``"shuffled"``: as rescaled; whoever shows them deals the solutions to them.
    digits
        Decimals; None: as many as show the spread with three digits.
    levels
        Of ``"rescaled"``; 100 are the paper's buckets of accuracies.
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
        decimals = _decimals(losses) if digits is None else digits
        return [plain(x, decimals) for x in losses], plain(
            best / 2 if best > 0 else max(best * 2 - 1, _LEAST), decimals
        )
    if form in ("rescaled", "shuffled"):
        best = float(losses[-1])
        # Ends first scaled to at most 1, so that no difference overflows.
        scale = max(1.0, float(np.max(np.abs(losses))))
        excess = losses / scale - best / scale
        spread = float(excess[0])
        margin = float(np.median(excess)) / 2 or spread / 2 or 1.0
        share = (excess + margin) / (spread + margin)
        if margin * levels < spread:
            # A smaller unit would let the quotient overflow.
            unit = max(float(excess[excess > 0].min()), 1e-300)
            share = np.log1p(excess / unit) / np.log1p(spread / unit)
        return [str(v) for v in np.maximum(1, np.rint(levels * share)).astype(int)], "0"
    raise InvalidInput(f"scores must be rounded, rescaled, ranked, shuffled or hidden, not {form!r}")


def plain(number: float, digits: int) -> str:
    """Return a number with ``digits`` decimals; one too long to read, with four significant digits."""
    # Adding 0.0 turns -0.0 into 0.0.
    return f"{round(number, digits) + 0.0:.{digits}f}" if abs(number) < 1e12 else f"{number:.3e}"


def _decimals(losses: NDArray[np.float64]) -> int:
    with np.errstate(over="ignore"):
        spread = float(np.ptp(losses))
    spread = spread or abs(float(losses[0])) or 1.0
    return int(np.clip(2 - np.floor(np.log10(spread)), 0, 12)) if np.isfinite(spread) else 0
