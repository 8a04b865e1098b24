"""Problems whose score is a mean over items, such as examples that a model answers, and what is known of the items."""

from __future__ import annotations

import hashlib
import math
import reprlib
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from llmopt.errors import InvalidInput
from llmopt.history import History
from llmopt.llm.base import LLM
from llmopt.problem import Problem
from llmopt.runlog.journal import Journal


class ItemScore(NamedTuple):
    """The score of one solution on one item, and the answer that it was given for."""

    score: float
    answer: str


Keep = Callable[[int, ItemScore], None]
"""Takes the position of a pair and its outcome, from any thread."""


@dataclass(frozen=True)
class Exemplar:
    """A training item as a model may be shown it.

    Parameters
    ----------
    before, after
        The text of the item around the place of the solution.
    target
        The answer that is sought.
    """

    before: str
    after: str
    target: str


class ItemProblem(Problem):
    """A problem whose score is the mean of the scores of its first ``items`` items.

    A subclass has ``items`` and ``score_items`` in place of ``evaluate``. Items from ``items`` on are not searched on;
    :meth:`assess` may score them once the search has ended. The models that score are named by ``models``; a run asks
    them through :meth:`with_models`: booked, within its budget and from its cache.
    """

    @property
    @abstractmethod
    def items(self) -> int:
        """The number of items that the score is a mean over."""

    @abstractmethod
    def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
        """Score solutions on items, each pair once, and hand over each outcome as soon as it is there.

        An exception ends the run; what was handed over is kept.
        """

    def with_models(self, models: Mapping[str, LLM]) -> ItemProblem:
        """Return the problem with other models in the roles of :attr:`models`."""
        return self

    def bound(self, bind: Callable[[LLM, str], LLM]) -> ItemProblem:
        """Return the problem with each of its models as ``bind`` gives it back, by model and role."""
        return self.with_models({role: bind(llm, role) for role, llm in self.models.items()})

    @property
    def exemplars(self) -> Sequence[Exemplar]:
        """What a solver may see of the items; empty, or one for each of the first ``items``."""
        return ()

    def assess(self, history: History, scores: ItemScores) -> Mapping[str, Any]:
        """Return what a report says of a run beside its history, as JSON has it; called when the search has ended."""
        return {}

    def evaluate(self, solution: Any) -> float:
        return float(ItemScores(self).score([(solution, item) for item in range(self.items)]).mean())


class ItemScores:
    """The item scores of one run: each pair of solution and item is scored once, and kept at once.

    Parameters
    ----------
    problem
        Scores what is not known.
    journal
        The run's log, which knows what was scored before and keeps what is new.
    """

    def __init__(self, problem: ItemProblem, journal: Journal | None = None) -> None:
        self._problem = problem
        self._journal = journal
        self._known: dict[bytes, dict[int, ItemScore]] = {}
        if journal is not None:
            for key, item, score, answer in journal.past_items:
                self._known.setdefault(key, {})[item] = ItemScore(score, answer)

    def score(self, pairs: Sequence[tuple[Any, int]]) -> NDArray[np.float64]:
        """Return the scores of pairs of solution and item, shape (P,).

        Raises
        ------
        InvalidInput
            The problem gave something else than a finite number, or left a pair out.
        """
        # The numbers of items may be NumPy's, which a log cannot write.
        pairs = [(solution, int(item)) for solution, item in pairs]
        keys = [self._key(solution) for solution, _ in pairs]
        missing = {}
        for (solution, item), key in zip(pairs, keys, strict=True):
            if item not in self._known.get(key, {}):
                missing[key, item] = (solution, item)
        if missing:
            self._ask(list(missing), list(missing.values()))
        try:
            return np.array([self._known[key][item].score for key, (_, item) in zip(keys, pairs, strict=True)])
        except KeyError:
            raise InvalidInput(f"{type(self._problem).__name__}.score_items left out a pair") from None

    def _ask(self, places: Sequence[tuple[bytes, int]], pairs: Sequence[tuple[Any, int]]) -> None:
        journal = self._journal
        if journal is not None:
            journal.go_live()

        def keep(i: int, found: ItemScore) -> None:
            score, answer = self._checked(i, found, len(places))
            key, item = places[i]
            self._known.setdefault(key, {})[item] = ItemScore(score, answer)
            if journal is not None:
                journal.keep_item(key, item, score, answer)

        try:
            self._problem.score_items(pairs, keep)
        finally:
            if journal is not None:
                journal.flush()

    def _checked(self, i: int, found: ItemScore, count: int) -> ItemScore:
        """Return an outcome as it is kept; raise InvalidInput where it is none."""
        gave = f"{type(self._problem).__name__}.score_items gave"
        if not isinstance(i, int | np.integer) or not 0 <= i < count:
            raise InvalidInput(f"{gave} an outcome for pair {reprlib.repr(i)} of {count}; they are counted from 0")
        if not isinstance(found, ItemScore):
            raise InvalidInput(f"{gave} {reprlib.repr(found)}, no ItemScore")
        if not isinstance(found.answer, str):
            raise InvalidInput(f"{gave} the answer {reprlib.repr(found.answer)}, no text")
        try:
            # Adding 0.0 turns -0.0 into 0.0, which is what SQLite makes of it.
            score = math.nan if isinstance(found.score, str | bytes) else float(found.score) + 0.0
        except (TypeError, ValueError, OverflowError):
            score = math.nan
        if not math.isfinite(score):
            raise InvalidInput(f"{gave} {reprlib.repr(found.score)}, no finite number")
        return ItemScore(score, found.answer)

    def known(self, solution: Any) -> Mapping[int, ItemScore]:
        """Return what is known of a solution, by item."""
        return self._known.get(self._key(solution), {})

    def complete(self, solution: Any) -> NDArray[np.float64] | None:
        """Return the scores of a solution on all items that the score is a mean over; None where one is missing."""
        known = self.known(solution)
        try:
            return np.array([known[item].score for item in range(self._problem.items)])
        except KeyError:
            return None

    def _key(self, solution: Any) -> bytes:
        # As it is written, and not as the space compares: letter case may matter to what scores.
        return solution_key(self._problem.space.to_json(solution))


def solution_key(plain: Any) -> bytes:
    """Return what a log has in place of a solution beside its item scores: the SHA-256 of its JSON text."""
    return hashlib.sha256(orjson.dumps(plain)).digest()
