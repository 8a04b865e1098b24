"""How sure an accuracy is, and a difference between two on the same examples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def wilson(right: float, count: int, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of an accuracy (E. B. Wilson, JASA 22, 1927).

    Parameters
    ----------
    right
        Examples answered rightly; of scores between 0 and 1 the sum, with which the interval is approximate.
    count
        Examples.
    level
        How often such an interval holds the true accuracy.
    """
    from scipy.stats import norm

    z = float(norm.isf((1 - level) / 2))
    share = right / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * float(np.sqrt(share * (1 - share) / count + z * z / (4 * count * count)))
    return max(0.0, centre - half), min(1.0, centre + half)


def mcnemar(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the probability of a difference between two at least as large, if there were none (McNemar 1947, exact).

    Parameters
    ----------
    a, b
        Scores on the same examples, shape (n,). Of scores between 0 and 1 only their order counts (the sign test).
    """
    from scipy.stats import binomtest

    better, worse = int(np.sum(a > b)), int(np.sum(a < b))
    return float(binomtest(better, better + worse).pvalue) if better + worse else 1.0


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p-values that hold for all tests together (S. Holm, Scand. J. Statist. 6, 1979).

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * p_values[order]))
    return adjusted
