"""Evaluations whose score is a mean over items: concurrent, counted, and no more of them than a race needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput
from llmopt.evaluate import Keep, Outcomes
from llmopt.history import DROPPED, OK, History
from llmopt.items import ItemProblem, ItemScores
from llmopt.race_step import race_step
from llmopt.racing import Race
from llmopt.space import Columns

EARLIER = 64
"""Complete solutions that a race may learn from: the best ones."""


class ItemEvaluator:
    """Evaluates the solutions of a step on the items of a problem, block after block.

    Parameters
    ----------
    problem
        What is evaluated.
    scores
        What is known of items in this run.
    history
        The run's evaluations, for the incumbent.
    race
        Which candidates go on after a block; None: all are scored on every item.
    order
        The order in which items are scored, the same in the whole run: shape (items,).
    limit
        The most pairs of solution and item that the search may score; None: without limit.

    Attributes
    ----------
    calls
        Pairs that the search has scored so far, those too that a log or a cache answered: a run does not get
        further because another one has paid.
    spent
        Whether evaluations were left out because ``limit`` did not admit them.
    """

    def __init__(
        self,
        problem: ItemProblem,
        scores: ItemScores,
        history: History,
        race: Race | None,
        order: NDArray[np.int64],
        limit: int | None = None,
    ) -> None:
        self.calls = 0
        self.spent = False
        self._problem = problem
        self._scores = scores
        self._history = history
        self._race = race
        self._order = order
        self._limit = limit

    def evaluate(self, columns: Columns, outcomes: Outcomes, out_of_time: Callable[[], bool], keep: Keep) -> None:
        """As :meth:`llmopt.evaluate.Evaluator.evaluate`; what the calls or the time do not suffice for is left out."""
        space = self._problem.space
        for i in np.flatnonzero(outcomes.done).tolist():
            # From the log: what it took then counts now.
            known = self._scores.known(space.row(columns, i))
            self.calls += sum(item < self._problem.items for item in known)
        missing = np.flatnonzero(~outcomes.done).tolist()
        if not missing:
            return
        began = time.perf_counter()
        found = self._scored([space.row(columns, i) for i in missing], out_of_time)
        for i, scores in found.items():
            self._put(outcomes, missing[i], scores)
        if found:
            keep([missing[i] for i in sorted(found)], time.perf_counter() - began)

    @property
    def exhausted(self) -> bool:
        """Whether ``limit`` leaves too few calls for a single new solution."""
        return self._limit is not None and self._limit - self.calls < self._problem.items

    def _admitted(self, waiting: int) -> int:
        """Return how many candidates the calls suffice for, should a race drop none of them."""
        if self._limit is None:
            return waiting
        # An earlier session may have had a larger budget.
        return min(waiting, max(0, self._limit - self.calls) // self._problem.items)

    def _scored(self, solutions: Sequence[Any], out_of_time: Callable[[], bool]) -> dict[int, NDArray[np.float64]]:
        """Return the scores of solutions by position, in the run's order of items, shorter where one was dropped;
        without those for which the time or the calls ran out.

        Where calls run short, those begin that could all be finished, and others once a race has dropped some: no call
        is spent on a candidate without an outcome.
        """
        judged: dict[int, NDArray[np.float64]] = {}
        known = self._complete()
        waiting = list(range(len(solutions)))
        while waiting and not (judged and out_of_time()):
            count = self._admitted(len(waiting))
            if not count:
                self.spent = True
                break
            if not len(known):
                known = self._best_first([scores for scores in judged.values() if len(scores) == self._problem.items])
            judged |= self._raced(waiting[:count], solutions, known, out_of_time)
            waiting = waiting[count:]
        return judged

    def _raced(
        self,
        places: Sequence[int],
        solutions: Sequence[Any],
        known: NDArray[np.float64],
        out_of_time: Callable[[], bool],
    ) -> dict[int, NDArray[np.float64]]:
        found = dict.fromkeys(places, np.empty(0))

        def score(alive: Sequence[int], block: slice) -> NDArray[np.float64]:
            asked = [places[i] for i in alive]
            wanted = self._order[block]
            # Solution by solution, so that a model reads an instruction once for all examples.
            scores = self._scores.score([(solutions[place], int(item)) for place in asked for item in wanted])
            self.calls += len(scores)
            self._check(scores)
            parts = scores.reshape(len(asked), len(wanted))
            for place, part in zip(asked, parts, strict=True):
                found[place] = np.concatenate([found[place], part])
            return self._larger_is_better(parts)

        judged = race_step(self._race, len(places), self._larger_is_better(known), score, out_of_time)
        return {places[i]: found[places[i]] for i in sorted(judged)}

    def _larger_is_better(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return scores if self._history.maximize else 1 - scores

    def _check(self, scores: NDArray[np.float64]) -> None:
        outside = scores[(scores < 0) | (scores > 1)]
        if self._race is not None and len(outside):
            raise InvalidInput(
                f"a race needs scores from 0 to 1, and {type(self._problem).__name__} gave {outside[0]:g}; score "
                "every candidate on every item (race=None)"
            )

    def _complete(self) -> NDArray[np.float64]:
        """Return the item scores of the best complete solutions, best first, in the run's order of items."""
        rows = self._history.best(EARLIER).tolist()
        known = [self._scores.complete(self._history.space.row(self._history.columns, row)) for row in rows]
        return self._matrix([scores[self._order] for scores in known if scores is not None])

    def _best_first(self, found: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return complete scores as :meth:`_complete` does, the earlier of equals first."""
        scores = self._matrix(found)
        return scores[np.argsort(-self._larger_is_better(scores).mean(axis=1), kind="stable")]

    def _matrix(self, found: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.array(found).reshape(len(found), self._problem.items)

    def _put(self, outcomes: Outcomes, i: int, scores: NDArray[np.float64]) -> None:
        if whole := len(scores) == self._problem.items:
            # In the order of the items, so that the score does not depend on the run's order, be it by rounding alone.
            scores = scores[np.argsort(self._order)]
        mean = float(scores.mean())
        if whole:
            outcomes.status[i] = OK
            outcomes.losses[i] = (-mean if self._history.maximize else mean) + 0.0
        else:
            outcomes.status[i] = DROPPED
            outcomes.reasons[i] = f"dropped after {len(scores)} of {self._problem.items} items: {mean:.3g} on these"
        outcomes.done[i] = True
