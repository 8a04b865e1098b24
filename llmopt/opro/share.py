"""How many of a step's proposals a model makes beside another solver, by what its earlier ones were worth."""

from __future__ import annotations

from typing import Literal

DISCOUNT = 0.9
"""What a step counts for one step later."""
EVIDENCE = 0.5
"""Incumbents more, or fewer, than the other would have found, for each proposal of a step: less is mostly chance."""
SHORTEST, LONGEST = 2, 32
"""Steps from one probe to the next."""


class Share:
    """The share of a model that is the larger, the more of the incumbents it finds; half of a step at first.

    A step counts for the one who finds the new incumbent, if there is one. The model's *lead* is the number of
    incumbents that it found, less the number that the other would have with as many proposals; all is counted with a
    discount of a tenth a step. Where the lead is half an incumbent for each proposal that the model has in a step, the
    share doubles, up to all but one of a step; as far behind, it halves, down to none. So a useless model costs a few
    steps at half of the other's speed. A model with no share is asked for one proposal after 2 steps, then after 4
    more, at last after 32; one that finds the incumbent begins anew with one proposal a step.

    Parameters
    ----------
    batch
        Proposals in a step, at least 1; of 1, only probes are the model's.

    Examples
    --------
    >>> share = Share(8)
    >>> share.proposals
    4
    >>> for _ in range(4):
    ...     share.book(4, 4, incumbent_by="model")
    >>> share.proposals
    7
    """

    def __init__(self, batch: int) -> None:
        self._most = batch - 1
        self._level = batch // 2
        self._model_made = self._model_found = 0.0
        self._other_made = self._other_found = 0.0
        self._pause, self._waited = SHORTEST, 0

    @property
    def proposals(self) -> int:
        """How many of the next step's proposals are the model's."""
        return self._level or int(self._waited >= self._pause)

    @property
    def lead(self) -> float:
        """How many incumbents more the model found than the other would have with as many proposals."""
        rate = self._other_found / self._other_made if self._other_made else 0.0
        return self._model_found - self._model_made * rate

    def book(self, model: int, other: int, incumbent_by: Literal["model", "other"] | None) -> None:
        """Learn of a step: how many proposals each of the two made, and who found the new incumbent, if anybody."""
        found = incumbent_by == "model"
        self._model_made = DISCOUNT * self._model_made + model
        self._model_found = DISCOUNT * self._model_found + found
        self._other_made = DISCOUNT * self._other_made + other
        self._other_found = DISCOUNT * self._other_found + (incumbent_by == "other")
        if self._level == 0:
            self._rest(probed=model > 0, found=found)
        elif self.lead >= EVIDENCE * self._level:
            self._level = min(2 * self._level, self._most)
        elif self.lead <= -EVIDENCE * self._level:
            self._level //= 2
            self._pause, self._waited = SHORTEST, 0

    def _rest(self, probed: bool, found: bool) -> None:
        if not probed:
            self._waited += 1
            return
        self._waited = 0
        self._pause = SHORTEST if found else min(2 * self._pause, LONGEST)
        if found:
            self._level = min(1, self._most)
            self._model_made = self._model_found = 0.0
