"""A language model and CMA-ES together, on one history and one budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from llmopt.budget import Budget
from llmopt.errors import InvalidInput
from llmopt.history import Evaluations
from llmopt.llm.base import LLM, Request
from llmopt.objective import Proposals
from llmopt.opro.distribution import Distribution
from llmopt.opro.in_words import in_words
from llmopt.opro.share import Share
from llmopt.opro.solver import OPRO, SerializerName
from llmopt.penalty import finite_losses
from llmopt.problem import Problem
from llmopt.settings import check_whole
from llmopt.solver import AskTellSolver, Task
from llmopt.space import Vector, join, length, take
from llmopt.space.relaxation import Points, Relaxation


@dataclass(frozen=True)
class _Asked:
    """A step: how many proposals the model was asked for and how many it wrote, which come first; the points that were
    drawn for the others; the number of evaluations and the best loss before."""

    wanted: int
    written: int
    drawn: Points
    known: int
    incumbent: float


class NumericHybrid(AskTellSolver):
    """CMA-ES makes most proposals of a step and the model the others: the more, the more often they improve.

    The model is asked as `opro` asks it, and reads besides where the best solution is, how far CMA-ES searches and
    which variables go together.
    What it proposes is injected into the update of CMA-ES (:meth:`Distribution.injected`), so that each profits from
    what the other finds. How the share adapts is said in :class:`llmopt.opro.share.Share`; while it is none, no model
    is asked.

    Parameters
    ----------
    llm
        The model.
    serializer, temperature, hint
        See :class:`llmopt.opro.OPRO`.
    samples
        Proposals in a step, of both together.
    share
        How many of them are the model's; None: it adapts. With 0, CMA-ES is alone and no model is asked: the control.
        With ``samples``, the model is alone, and reads of a CMA-ES that only learns.
    """

    packages: ClassVar[tuple[str, ...]] = ("cmaes", "scipy")

    def __init__(
        self,
        llm: LLM,
        *,
        serializer: SerializerName = "auto",
        samples: int = 8,
        temperature: float | None = None,
        hint: str = "",
        share: int | None = None,
    ) -> None:
        check_whole("hybrid: samples", samples, 1)
        super().__init__(samples)
        if share is not None and (isinstance(share, bool) or not isinstance(share, int) or not 0 <= share <= samples):
            raise InvalidInput(
                f"hybrid: share must be from 0 (no model) to samples={samples} (the model alone), or none to let it "
                f"adapt, not {share!r}"
            )
        self.serializer, self.samples, self.temperature, self.hint = serializer, samples, temperature, hint
        self.share = share
        self._opro = OPRO(llm, serializer=serializer, samples=samples, temperature=temperature, hint=hint)

    @property
    def models(self) -> Mapping[str, LLM]:
        return {} if self.share == 0 else self._opro.models

    def check_problem(self, problem: Problem, budget: Budget) -> None:
        super().check_problem(problem, budget)
        if self.share != 0:
            self._opro.check_problem(problem, budget)

    def start(self, task: Task, rng: np.random.Generator) -> None:
        super().start(task, rng)
        assert isinstance(task.space, Vector)
        model_rng, own_rng = rng.spawn(2)
        self._opro.start(task, model_rng)
        self._adapting = Share(self.batch)
        self._relaxation = Relaxation(task.space, 1.0)
        self._search: Distribution | None = None
        if self._relaxation.dimension:
            best = take(task.history.columns, task.history.best(1))
            known = self._relaxation.points(best) if length(best) else self._relaxation.width[None] / 2
            self._search = Distribution(self._relaxation, known[0], self.batch, own_rng)
        self._asked: _Asked | None = None

    @property
    def _models_share(self) -> int:
        return self._adapting.proposals if self.share is None else self.share

    def requests(self) -> list[Request]:
        """Return the requests of the first step, as :meth:`OPRO.requests` does; none where no model is asked."""
        self._brief()
        return self._opro.requests(self._models_share) if self._models_share else []

    def ask(self, n: int) -> Proposals:
        history, space = self.task.history, self.task.space
        share = self._models_share
        # In the short step at the end of a budget, in proportion: else it could be the model's alone.
        wanted = min(share, n) if share in (0, self.batch) else min(max(1, share * n // self.batch), n - 1)
        written = Proposals(space.pack([]))
        if wanted:
            self._brief()
            written = self._opro.ask(wanted)
        if self._search is None:
            drawn, columns = np.empty((n - wanted, 0)), space.sample(n - wanted, self.rng)
        else:
            own = self._search.draw(n - wanted)
            drawn, columns = own.told, self._relaxation.columns(own.shown)
        incumbent = np.inf if history.incumbent is None else history.incumbent.loss
        self._asked = _Asked(wanted, length(written.columns), drawn, len(history), incumbent)
        return replace(written, columns=join([written.columns, columns]))

    def tell(self, evaluations: Evaluations) -> None:
        asked, self._asked = self._asked, None
        if asked is None:
            # The start points, which the history held already at the start.
            return
        by: Literal["model", "other"] | None = None
        if (evaluations.losses < asked.incumbent).any():
            by = "model" if np.nanargmin(evaluations.losses) < asked.written else "other"
        self._adapting.book(asked.wanted, len(asked.drawn), by)
        if self._search is not None:
            self._learn(self._search, evaluations, asked)

    def _learn(self, search: Distribution, evaluations: Evaluations, asked: _Asked) -> None:
        if len(asked.drawn) and not (evaluations.rows >= asked.known).any():
            # It has shrunk to what is known.
            search.restart()
            return
        written = self._relaxation.points(take(evaluations.columns, slice(asked.written)))
        points = np.vstack([search.injected(written), asked.drawn])
        telling = evaluations.rows >= 0
        # What the model repeats was told before, and would draw the distribution there once more.
        rows, first = np.unique(evaluations.rows[: asked.written], return_index=True)
        telling[: asked.written] = False
        telling[first[rows >= asked.known]] = True
        search.tell(points[telling], finite_losses(evaluations)[telling])

    def _brief(self) -> None:
        if self._search is not None:
            assert isinstance(self.task.space, Vector)
            best = self.task.history.incumbent
            known = None if best is None else best.solution
            self._opro.note = in_words(self.task.space, self._relaxation, self._search.shape, known)
