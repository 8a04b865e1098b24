"""Racing: a candidate is scored on part of the items, for as long as it may still beat the best one known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput

Scores = NDArray[np.float64]

# What the bettors bet on: by so much of the score a candidate ends under what it would need.
_SHORTFALLS = np.array([0.1, 0.2, 0.4])
# A bettor never stakes all: no single item ruins it.
_LARGEST_STAKE = 0.95
# Sums of the same scores in another order differ by less.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Race:
    """When to stop scoring a candidate that cannot beat the incumbent.

    The incumbent is the best candidate that was scored on all ``n`` items. A new candidate is scored block after block
    and dropped for one of two reasons. Either it could not beat the incumbent even with full marks on every item that
    is left, or its scores so far are too unlikely for one that would beat the incumbent by ``margin``. "Too unlikely"
    is measured by betting. Before each item, the mean score is known that a candidate must still reach on the items
    that are left; a bettor who stakes against it can win in the long run only if the candidate falls short of that.
    When the capital of the bettors has grown ``1 / level``-fold, the candidate goes, unless it is not behind the
    incumbent on the items that both have seen.

    The items are drawn without replacement and the incumbent's total is known, so that only the candidate's own
    scores on the items that are left are uncertain: that is the finite-population correction, and it makes every bet
    sharper towards the end. Easy and hard items are told apart by the mean of the incumbent and the other candidates
    that were scored in full (a control variate): what counts is a candidate's score beyond the one expected on an
    item, so that a run of hard items is not held against it.

    Parameters
    ----------
    level
        The largest probability, in (0, 1), that a candidate which beats the incumbent by ``margin`` or more is
        dropped, however often it is looked at. It holds for one candidate and one race; the best candidate of a run
        has one race only, for it is never challenged after it is scored in full. That is the worst case: at the default
        of 0.2, searches lose more than the margin in 1 to 3 of 100 simulated runs (`docs/results.md`).
    margin
        In units of the score, at least 0 and below 1: a candidate that is better by less may be lost. Candidates that
        tie with the incumbent may be lost at any margin. On 50 items marked 0 or 1, two points are one item.
    first
        How many items are scored before the first look, at least 1.
    block
        How many items are scored between two looks, at least 1.

    Raises
    ------
    InvalidInput
        If a setting is outside its range.

    Notes
    -----
    *What is guaranteed.* With probability ``1 - level`` or more, the candidate chosen at the end of a run is less than
    ``margin`` worse on the ``n`` items than the choice of full evaluation. It is assumed that

    - scores lie in [0, 1], and scoring the same candidate on the same item again would give the same;
    - the order of the items is uniformly random, whoever the incumbent, the others and the candidate are, and these
      stay the same during the race. One order for a whole run has some influence on them, through who was dropped
      before; the simulations include this. Drawing the order anew for every step (with the incumbent's and the
      others' scores put in that order) removes it.

    Nothing is assumed about how scores are distributed, nor that candidates resemble each other; the predictions only
    decide how soon a bad candidate goes. The guarantee is for the worst case, a candidate that is better by exactly the
    margin; `llmopt.benchmarks.studies.racing` measures what happens on average. A best candidate that is ahead by less
    than the margin has no guarantee; ``margin=0`` gives one to all, for a tenth more calls or so. How well the choice
    does beyond the ``n`` items is another question.

    *Why.* Let a candidate have to reach the total ``T``, have the sum ``S`` before an item is drawn, and ``r`` items
    left. If it reaches ``T``, its expected score ``x`` on a random one of these is ``m = (T - S) / r`` or more. Let
    ``z`` be any score predicted for the item and ``Z`` the mean prediction over the items left. Then
    ``1 + a (m - (x - z + Z))`` has an expectation of at most 1 for each stake ``a >= 0`` chosen beforehand, so the
    product over the items, the capital, is a nonnegative supermartingale and ever exceeds ``1 / level`` with a
    probability of at most ``level`` (Ville 1939). That is the betting test of Waudby-Smith & Ramdas for samples
    without replacement ("Confidence sequences for sampling without replacement", NeurIPS 2020; "Estimating means of
    bounded random variables by betting", JRSS B 2024), here with predictions. The stake is Kelly's: the shortfall bet
    on, over the variance that the predictions leave. Three bettors expect shortfalls of 0.1, 0.2 and 0.4 of the score
    and share one capital, so that nothing has to be estimated.

    Racing is due to Maron & Moore ("Hoeffding races", NIPS 1993) and, with paired tests in blocks, Birattari et al.
    ("A racing algorithm for configuring metaheuristics", GECCO 2002), whose tests at each look are not corrected for
    the number of looks. Successive halving (Jamieson & Talwalkar, AISTATS 2016) fixes the number of calls instead of
    the risk.

    Examples
    --------
    >>> race = Race()
    >>> race.blocks(25)
    [slice(0, 5, None), slice(5, 10, None), slice(10, 15, None), slice(15, 20, None), slice(20, 25, None)]
    >>> incumbent = np.tile([1.0, 1.0, 0.0, 1.0], 10)
    >>> as_good, useless = incumbent[:20], np.zeros(20)
    >>> race.keeps(np.stack([as_good, useless]), incumbent).tolist()
    [True, False]
    """

    level: float = 0.2
    margin: float = 0.02
    first: int = 5
    block: int = 5

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise InvalidInput(f"the level of a race is a probability between 0 and 1, not {self.level}")
        if not 0 <= self.margin < 1:
            raise InvalidInput(f"the margin of a race is at least 0 and below 1, not {self.margin}")
        if self.first < 1 or self.block < 1:
            raise InvalidInput(f"a race needs at least one item a block, not first={self.first}, block={self.block}")

    def blocks(self, items: int) -> list[slice]:
        """Return the consecutive blocks that cover ``items`` items; after each but the last, :meth:`keeps` decides."""
        ends = [*range(self.first, items, self.block), items] if items > 0 else []
        return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]

    def leader(self, candidates: Scores) -> int:
        """Return which candidate is scored on all items next where there is no incumbent yet.

        It becomes the incumbent, and the others go on to race against it with ``since`` set to the number of items
        that it was chosen by.

        Parameters
        ----------
        candidates
            The scores on the first items, shape (B, k).

        Returns
        -------
        int
            The row with the highest sum, the first of equals.

        Raises
        ------
        InvalidInput
            If there is no candidate, or a score is not in [0, 1].
        """
        scores = _checked(candidates, "candidates", 2)
        if not len(scores):
            raise InvalidInput("there is no leader among no candidates")
        return int(np.argmax(np.round(scores.sum(axis=1) / _ROUNDING)))

    def keeps(
        self, candidates: Scores, incumbent: Scores, others: Scores | None = None, since: int = 0
    ) -> NDArray[np.bool_]:
        """Return which candidates go on.

        Each row is judged by itself, so the candidates of a step may be judged together or apart. Ask after every
        block; a candidate that was dropped once must not come back. On all ``n`` items, the answer is whether a
        candidate beats the incumbent.

        Parameters
        ----------
        candidates
            The scores on the first ``k`` items in the order of the run, shape (B, k), ``1 <= k <= n``.
        incumbent
            The incumbent's scores on all items in the same order, shape (n,).
        others
            The scores of earlier candidates that were scored in full, shape (M, n), to predict from; without the
            incumbent's. None is as good as zero rows.
        since
            So many of the first items were known when the incumbent was chosen; no bets are placed on them, for a
            candidate that lost on the items by which its rival was picked is judged unfairly. Only the first step of
            a run needs it, see :meth:`leader`.

        Returns
        -------
        ndarray of bool, shape (B,)
            True where scoring goes on.

        Raises
        ------
        InvalidInput
            If the shapes do not fit or a score is not in [0, 1].
        """
        scores = _checked(candidates, "candidates", 2)
        best = _checked(incumbent, "incumbent", 1)
        known = _checked(np.empty((0, len(best))) if others is None else others, "others", 2)
        k, n = scores.shape[1], len(best)
        if not 1 <= k <= n or known.shape[1] != n or not 0 <= since <= k:
            raise InvalidInput(
                f"a race of {n} items cannot use {k} scores of each candidate, {known.shape[1]} of the others, "
                f"and since={since}"
            )
        sums = scores.sum(axis=1)
        can_win = sums + (n - k) > best.sum() + _ROUNDING
        not_behind = sums >= best[:k].sum() - _ROUNDING
        predicted = _predictions(np.vstack([best, known]))
        needed = best.sum() + self.margin * n - _ROUNDING
        unlikely = _log_capital(scores, predicted, needed, since) >= -math.log(self.level)
        return np.asarray(can_win & (not_behind | ~unlikely))


def _predictions(known: Scores) -> Scores:
    """The expected score on each item, shape (n,), from candidates scored in full, shape (M, n)."""
    # One imagined candidate that scores the same everywhere keeps few candidates from being taken at their word.
    return np.asarray((known.sum(axis=0) + known.mean()) / (len(known) + 1))


def _log_capital(scores: Scores, predicted: Scores, needed: float, since: int) -> Scores:
    """The logarithm of the largest capital so far of betting against totals of ``needed``, shape (B,)."""
    k, n = scores.shape[1], len(predicted)
    left = n - np.arange(k)
    before = np.cumsum(scores, axis=1) - scores
    still_needed = (needed - before) / left
    expected = predicted[:k] - (predicted.sum() - (np.cumsum(predicted) - predicted)[:k]) / left
    gains = still_needed - (scores - expected)
    # The variance of a mark of 0 or 1 at each prediction; a wrong one costs calls, never the guarantee.
    variance = float(np.mean(predicted * (1 - predicted)))
    shortfalls = _SHORTFALLS[:, None, None] * n / left
    # The greatest loss of any item that may be drawn: a full mark where the least was predicted.
    mean_left = predicted[:k] - expected
    greatest_loss = np.maximum(1 - predicted.min() + mean_left - still_needed, _ROUNDING)
    stakes = np.minimum(shortfalls / (variance + shortfalls**2), _LARGEST_STAKE / greatest_loss)
    growth = np.log1p(np.maximum(stakes * gains, -_LARGEST_STAKE))
    growth[:, :, :since] = 0
    shared = np.logaddexp.reduce(np.cumsum(growth, axis=2), axis=0) - math.log(len(_SHORTFALLS))
    return np.asarray(shared.max(axis=1))


def _checked(scores: Scores, name: str, dimensions: int) -> Scores:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != dimensions:
        raise InvalidInput(f"the scores of {name} have {dimensions} dimensions, not {values.ndim}")
    if not ((values >= 0) & (values <= 1)).all():
        raise InvalidInput(f"the scores of {name} lie between 0 and 1")
    return values
