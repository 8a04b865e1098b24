"""The history of a run: every evaluation, as columns, with the best ones at hand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal, get_args, overload

import numpy as np
from numpy.typing import NDArray

from llmopt.space import Columns, Keys, Space, take

Status = Literal["ok", "failed", "infeasible", "invalid", "dropped"]
STATUSES: tuple[Status, ...] = get_args(Status)
OK, FAILED, INFEASIBLE = range(3)
DROPPED = STATUSES.index("dropped")

# So many of the best evaluations are kept sorted while a run goes on; a longer list is sorted when asked for.
_KEPT = 256


class Evaluation:
    """One row of a history: a view, not a copy; row -1 stands for a proposal that was not evaluated."""

    __slots__ = ("history", "index")

    def __init__(self, history: History, index: int) -> None:
        self.history = history
        self.index = index

    @property
    def solution(self) -> Any:
        """The solution in the user's form; None where nothing was evaluated."""
        return None if self.index < 0 else self.history.space.row(self.history.columns, self.index)

    @property
    def loss(self) -> float:
        """The score as it is minimized; NaN where there is none."""
        return math.nan if self.index < 0 else float(self.history.losses[self.index])

    @property
    def score(self) -> float:
        """The score in the user's own sign; NaN where there is none."""
        return self.history.to_score(self.loss)

    @property
    def status(self) -> Status:
        """``"ok"``, ``"failed"``, ``"infeasible"``, ``"dropped"`` where a race ended before all items were scored, or
        ``"invalid"`` where nothing was evaluated."""
        return "invalid" if self.index < 0 else STATUSES[int(self.history.status[self.index])]

    @property
    def reason(self) -> str:
        """Why it failed or is infeasible; empty where it is ok."""
        return self.history.reasons.get(self.index, "")

    @property
    def step(self) -> int:
        """The step in which it was first proposed; 0 holds the start points, -1 means not evaluated."""
        return -1 if self.index < 0 else int(self.history.steps[self.index])

    def __repr__(self) -> str:
        outcome = f"score={self.score!r}" if self.status == "ok" else f"{self.status}: {self.reason}"
        return f"Evaluation(#{self.index}, step {self.step}, {self.solution!r}, {outcome})"


class Evaluations(Sequence[Evaluation]):
    """The outcomes of the proposals of one step, in their order; a row of -1 means that there is none."""

    def __init__(self, history: History, rows: NDArray[np.int64]) -> None:
        self.history = history
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, i: int) -> Evaluation: ...
    @overload
    def __getitem__(self, i: slice) -> Evaluations: ...
    def __getitem__(self, i: int | slice) -> Evaluation | Evaluations:
        if isinstance(i, slice):
            return Evaluations(self.history, self.rows[i])
        return Evaluation(self.history, int(self.rows[i]))

    @property
    def losses(self) -> NDArray[np.float64]:
        """The losses, shape (B,); NaN where an evaluation failed, is infeasible or did not take place."""
        if not len(self.history):
            return np.full(len(self.rows), np.nan)
        return np.where(self.rows < 0, np.nan, self.history.losses[self.rows])

    @property
    def columns(self) -> Columns:
        """The solutions of the rows; only where every row is there."""
        return take(self.history.columns, self.rows)


class History(Sequence[Evaluation]):
    """Every evaluation of a run in order, stored as columns.

    Parameters
    ----------
    space
        The space of the solutions.
    maximize
        Whether the user's score is the negative of the loss.
    """

    def __init__(self, space: Space[Any], *, maximize: bool = False) -> None:
        self.space = space
        self.maximize = maximize
        self.reasons: dict[int, str] = {}
        self._count = 0
        self._columns = {name: values[:0] for name, values in space.sample(1, np.random.default_rng(0)).items()}
        self._losses = np.empty(0)
        self._status = np.empty(0, dtype=np.int8)
        self._steps = np.empty(0, dtype=np.int32)
        self._best = np.empty(0, dtype=np.int64)
        self._best_losses = np.empty(0)
        self._index = _KeyIndex(space.size)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, i: int) -> Evaluation: ...
    @overload
    def __getitem__(self, i: slice) -> Evaluations: ...
    def __getitem__(self, i: int | slice) -> Evaluation | Evaluations:
        if isinstance(i, slice):
            return Evaluations(self, np.arange(*i.indices(self._count)))
        if not -self._count <= i < self._count:
            raise IndexError(f"evaluation {i} of {self._count}")
        return Evaluation(self, i % self._count)

    def __iter__(self) -> Iterator[Evaluation]:
        return (Evaluation(self, i) for i in range(self._count))

    @property
    def columns(self) -> Columns:
        """The solutions, a struct of arrays of length ``len(history)``."""
        return {name: _read_only(values[: self._count]) for name, values in self._columns.items()}

    @property
    def losses(self) -> NDArray[np.float64]:
        """The minimized scores, NaN where an evaluation failed or is infeasible."""
        return _read_only(self._losses[: self._count])

    @property
    def scores(self) -> NDArray[np.float64]:
        """The scores in the user's own sign."""
        return -self.losses + 0.0 if self.maximize else self.losses

    @property
    def status(self) -> NDArray[np.int8]:
        """Positions in :data:`STATUSES`."""
        return _read_only(self._status[: self._count])

    @property
    def steps(self) -> NDArray[np.int32]:
        """The step of each evaluation; never decreasing."""
        return _read_only(self._steps[: self._count])

    def to_score(self, loss: float) -> float:
        """Return a loss in the user's own sign."""
        # Adding 0.0 turns -0.0 into 0.0.
        return -loss + 0.0 if self.maximize else loss

    @property
    def incumbent(self) -> Evaluation | None:
        """The best evaluation so far (the first of equals), or None while there is none with a score."""
        return Evaluation(self, int(self._best[0])) if len(self._best) else None

    def best(self, k: int) -> NDArray[np.int64]:
        """Return the rows of the ``k`` best evaluations, best first, the earlier of equals first."""
        if k <= _KEPT or len(self._best) < _KEPT:
            return self._best[:k]
        scored = np.flatnonzero(self.status == OK)
        return scored[np.argsort(self.losses[scored], kind="stable")[:k]]

    def best_so_far(self) -> NDArray[np.float64]:
        """Return the incumbent's loss after each evaluation; infinite until there is one."""
        return running_best(self.losses)

    def count(self, status: Status) -> int:
        """Return the number of evaluations with a status."""
        return int(np.count_nonzero(self.status == STATUSES.index(status)))

    def table(self) -> dict[str, NDArray[Any]]:
        """Return every evaluation as equally long columns, which ``pandas.DataFrame`` takes as they are."""
        presented = self.space.present(self.columns)
        if not isinstance(presented, dict):
            values = np.empty(self._count, dtype=object)
            values[:] = list(presented)
            presented = {"solution": values}
        return {
            **{name: np.array(values) for name, values in presented.items()},
            "score": self.scores.copy(),
            "status": np.array(STATUSES, dtype=object)[self.status],
            "step": self.steps.copy(),
        }

    def match(self, keys: Keys) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return for each key the row that holds it, or will once the new ones are appended in order, and
        whether it is new."""
        return self._index.match(keys, self._count)

    def append(
        self,
        columns: Columns,
        losses: NDArray[np.float64],
        status: NDArray[np.int8],
        step: int | NDArray[np.int32],
        reasons: dict[int, str],
        keys: Keys | None,
    ) -> None:
        """Add evaluated rows, of one step or of one each; ``reasons`` maps positions among them to texts; no keys:
        rows may repeat."""
        start, count = self._count, len(losses)
        self._reserve(start + count)
        for name, values in columns.items():
            self._columns[name][start : start + count] = values
        self._losses[start : start + count] = losses
        self._status[start : start + count] = status
        self._steps[start : start + count] = step
        self._count = start + count
        for i, reason in reasons.items():
            self.reasons[start + i] = reason
        if keys is not None:
            self._index.add(keys, start)
        self._update_best(start)

    def _reserve(self, count: int) -> None:
        capacity = len(self._losses)
        if count <= capacity:
            return
        capacity = max(count, 2 * capacity, 64)
        self._columns = {name: _grown(values, capacity) for name, values in self._columns.items()}
        self._losses = _grown(self._losses, capacity)
        self._status = _grown(self._status, capacity)
        self._steps = _grown(self._steps, capacity)

    def _update_best(self, start: int) -> None:
        losses = self.losses[start:]
        # A comparison with NaN is false, so failures never enter.
        worst_kept = self._best_losses[-1] if len(self._best) >= _KEPT else np.inf
        better = np.flatnonzero(losses < worst_kept)
        if not len(better):
            return
        if len(better) > _KEPT:
            better = better[np.argsort(losses[better], kind="stable")[:_KEPT]]
        rows = np.concatenate([self._best, better + start])
        merged = np.concatenate([self._best_losses, losses[better]])
        order = np.argsort(merged, kind="stable")[:_KEPT]
        self._best, self._best_losses = rows[order], merged[order]


def _read_only(view: NDArray[Any]) -> NDArray[Any]:
    # What was evaluated is not to be changed, by mistake or otherwise.
    view.flags.writeable = False
    return view


def _grown(values: NDArray[Any], capacity: int) -> NDArray[Any]:
    grown = np.empty((capacity, *values.shape[1:]), dtype=values.dtype)
    grown[: len(values)] = values
    return grown


class _KeyIndex:
    """From keys to rows: a table where the space is finite and small, a dict elsewhere."""

    _LARGEST_TABLE = 2**24

    def __init__(self, size: int | None) -> None:
        self._rows: dict[Any, int] = {}
        self._table: NDArray[np.int32] | None = None
        self._size = size if size is not None and size <= self._LARGEST_TABLE else None

    def match(self, keys: Keys, next_row: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        rows = np.empty(len(keys), dtype=np.int64)
        if self._table is not None or (isinstance(keys, np.ndarray) and self._size and len(keys) > 64):
            assert isinstance(keys, np.ndarray)
            self._use_table()
            assert self._table is not None
            rows[:] = self._table[keys]
            unknown = np.flatnonzero(rows < 0)
            _, first, inverse = np.unique(keys[unknown], return_index=True, return_inverse=True)
            rank = np.empty(len(first), dtype=np.int64)
            rank[np.argsort(first)] = np.arange(len(first))
            rows[unknown] = next_row + rank[inverse]
            fresh = np.zeros(len(keys), dtype=np.bool_)
            fresh[unknown[first]] = True
            return rows, fresh
        fresh = np.zeros(len(keys), dtype=np.bool_)
        coming: dict[Any, int] = {}
        for i, key in enumerate(keys.tolist() if isinstance(keys, np.ndarray) else keys):
            row = self._rows.get(key)
            if row is None:
                row = coming.get(key)
                if row is None:
                    row = coming[key] = next_row + len(coming)
                    fresh[i] = True
            rows[i] = row
        return rows, fresh

    def add(self, keys: Keys, start: int) -> None:
        if self._table is not None:
            assert isinstance(keys, np.ndarray)
            self._table[keys] = np.arange(start, start + len(keys), dtype=np.int32)
        else:
            listed = keys.tolist() if isinstance(keys, np.ndarray) else keys
            self._rows.update(zip(listed, range(start, start + len(listed)), strict=True))

    def _use_table(self) -> None:
        if self._table is None:
            assert self._size is not None
            self._table = np.full(self._size, -1, dtype=np.int32)
            for key, row in self._rows.items():
                self._table[key] = row
            self._rows.clear()


def running_best(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the smallest loss so far after each evaluation, shape (n,), infinite where there is none yet.

    Parameters
    ----------
    losses
        In the order of the evaluations, shape (n,); NaN where there is none.

    Examples
    --------
    >>> running_best(np.array([np.nan, 3.0, 4.0, 1.0])).tolist()
    [inf, 3.0, 3.0, 1.0]
    """
    return np.minimum.accumulate(np.where(np.isnan(losses), np.inf, losses))
