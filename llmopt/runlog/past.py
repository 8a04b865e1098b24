"""The evaluations that are logged of a run, which those of its replay are compared with."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import ReplayDiverged
from llmopt.evaluate import Outcomes
from llmopt.runlog.rows import Outcome
from llmopt.space import Columns, Space

FORK = (
    "the code, a setting or a library has changed. Nothing was written; `resume --fork` goes on with a new run that is "
    "told the old evaluations"
)


class Past:
    """Logged evaluations by their place in the run; places may be missing where evaluations ran in parallel."""

    def __init__(self, outcome: Outcome | None) -> None:
        self._size = 0 if outcome is None or not len(outcome) else int(outcome.calls[-1]) + 1
        if outcome is None or not self._size:
            self.known, self.last_step = 0, -1
            return
        self.columns = {name: _spread(values, outcome.calls, self._size) for name, values in outcome.columns.items()}
        self._known = np.zeros(self._size, dtype=np.bool_)
        self._known[outcome.calls] = True
        self._losses = _spread(outcome.losses, outcome.calls, self._size)
        self._status = _spread(outcome.status, outcome.calls, self._size)
        self._steps = _spread(outcome.steps, outcome.calls, self._size)
        self._reasons = {int(outcome.calls[i]): reason for i, reason in outcome.reasons.items()}
        # How many are there, and the last step of any.
        self.known, self.last_step = int(self._known.sum()), int(outcome.steps.max())

    def __len__(self) -> int:
        return self._size

    @property
    def starts(self) -> NDArray[np.int64]:
        """The places of the start points that are there."""
        return np.flatnonzero(self._known & (self._steps == 0))

    def compare(self, places: slice, columns: Columns, step: int, space: Space[Any]) -> None:
        """Raise ReplayDiverged where something else was evaluated, or in another step."""
        same = np.ones(places.stop - places.start, dtype=np.bool_)
        for name, values in columns.items():
            same &= _equal(self.columns[name][places], values[: len(same)])
        different = np.flatnonzero(self._known[places] & (~same | (self._steps[places] != step)))
        if len(different):
            i = int(different[0])
            place = places.start + i
            logged, new = (space.to_json(space.row(c, row)) for c, row in ((self.columns, place), (columns, i)))
            raise ReplayDiverged(
                f"the replay diverges at evaluation {place + 1}: step {step} proposes {_short(new)}, and the log has "
                f"{_short(logged)} in step {int(self._steps[place])}; {FORK}"
            )

    def fill(self, places: slice, outcomes: Outcomes) -> None:
        """Fill in the outcomes that are there."""
        known = np.flatnonzero(self._known[places])
        outcomes.losses[known] = self._losses[places][known]
        outcomes.status[known] = self._status[places][known]
        outcomes.done[known] = True
        if self._reasons:
            for i in known.tolist():
                if (reason := self._reasons.get(places.start + i)) is not None:
                    outcomes.reasons[i] = reason


def _equal(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    equal: NDArray[np.bool_] = np.asarray(a == b, dtype=np.bool_)
    return np.asarray(equal.reshape(len(equal), -1).all(axis=1))


def _spread(values: NDArray[Any], calls: NDArray[np.int64], size: int) -> NDArray[Any]:
    if len(values) == size:
        return values
    whole = np.zeros((size, *values.shape[1:]), dtype=values.dtype)
    whole[calls] = values
    return whole


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 200 else f"{text[:200]}..."
