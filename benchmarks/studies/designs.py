"""What of a prompt the study changes: a design is one change of the default, or of solutions alone.

How many samples a step has, and what adapts from step to step, shows in whole runs; one step from a frozen history
always has eight.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.benchmarks.studies.adapting import Growing, Restarting, Warming
from llmopt.benchmarks.studies.text_forms import Bare, DigitsApart
from llmopt.llm.base import LLM
from llmopt.llm.copier import Copier
from llmopt.opro import OPRO
from llmopt.opro.codec import Codec
from llmopt.opro.query import Query
from llmopt.opro.serializer import Continuation, Prompt, Serializer, View
from llmopt.opro.solver import TOP_K
from llmopt.solver import AskTellSolver
from llmopt.space import Space


class ValueLast(Serializer):
    """The solution before its loss; the last line asks for no loss."""

    chat = False

    def prompt(self, view: View) -> Prompt:
        lines = [f"{text} loss={score}" for score, text in zip(view.scores, view.solutions, strict=True)]
        return Prompt("\n".join([*lines, view.codec.lead]), view.codec.lead, " loss")


class Spaced(Serializer):
    """The digits of losses apart, so that each is a token of its own."""

    chat = False

    def prompt(self, view: View) -> Prompt:
        return Continuation().prompt(
            replace(view, scores=[" ".join(score) for score in view.scores], target=" ".join(view.target))
        )


class Logarithmic(Serializer):
    """The logarithms of the rescaled losses."""

    chat = False

    def prompt(self, view: View) -> Prompt:
        scores = [str(round(100 * math.log10(float(score)))) for score in view.scores]
        return Continuation().prompt(replace(view, scores=scores))


class SameLevel(Serializer):
    """The best loss shown once more, in place of a better one."""

    chat = False

    def prompt(self, view: View) -> Prompt:
        return Continuation().prompt(replace(view, target=min(view.scores, key=float, default=view.target)))


class Aiming(Serializer):
    """Asks for a share of the best loss shown."""

    chat = False

    def __init__(self, share: float) -> None:
        self._share = share

    def prompt(self, view: View) -> Prompt:
        best = min(map(float, view.scores), default=0.0)
        return Continuation().prompt(replace(view, target=str(round(self._share * best))))


class Gains(Serializer):
    """Scores as gains over the worst, which rise to the best."""

    chat = False

    def prompt(self, view: View) -> Prompt:
        numbers = [int(score) for score in view.scores]
        worst = max(numbers, default=0)
        lines = [f"gain={worst - n} at {text}" for n, text in zip(numbers, view.solutions, strict=True)]
        opening = view.codec.lead
        return Prompt("\n".join([*lines, f"gain={worst} at {opening}"]), opening, "\n")


class SeveralTargets(OPRO):
    """The prompts of a step ask in turn for a loss of nothing, of half the best and of the best once more."""

    def _below_solutions(
        self, samples: Sequence[int], serializer: Serializer, temperature: float, first: int = 0
    ) -> list[Query]:
        queries: list[Query] = []
        for i, n in enumerate(samples, first):
            queries += super()._below_solutions([n], Aiming((0, 1 / 2, 1)[i % 3]), temperature, first=i)
        return queries


class SameOrder(OPRO):
    """The variables in one order in all prompts."""

    def codecs(self, space: Space[Any]) -> list[Codec[Any]]:
        return super().codecs(space)[:1]


class Records(OPRO):
    """The successive incumbents only: the way that the search has gone."""

    def candidates(self) -> NDArray[np.int64]:
        losses = self.task.history.losses
        finite = np.flatnonzero(np.isfinite(losses))
        records = finite[np.r_[True, losses[finite][1:] < np.minimum.accumulate(losses[finite])[:-1]]]
        return np.asarray(records[-TOP_K:], dtype=np.int64)


class BestAndLatest(OPRO):
    """Half of the candidates are the best, half the latest, by loss."""

    def candidates(self) -> NDArray[np.int64]:
        history = self.task.history
        latest = np.arange(len(history))[-(TOP_K // 2) :]
        rows = np.union1d(history.best(TOP_K // 2), latest[np.isfinite(history.losses[latest])])
        return rows[np.argsort(-history.losses[rows], kind="stable")]


class Stratified(OPRO):
    """Candidates at equal distances in rank through the whole history, the incumbent among them."""

    def candidates(self) -> NDArray[np.int64]:
        ranked = self.task.history.best(len(self.task.history))
        places = np.unique(np.rint(np.linspace(0, len(ranked) - 1, min(TOP_K, len(ranked)))).astype(int))
        chosen: NDArray[np.int64] = ranked[places][::-1]
        return chosen


Make = Callable[[LLM], AskTellSolver]


def _solutions(llm: LLM, serializer: Serializer | None = None, kind: type[OPRO] = OPRO, **settings: Any) -> OPRO:
    return kind(llm, serializer=serializer or "continuation", **settings)


DESIGNS: dict[str, Make] = {
    "moves (the default)": lambda llm: OPRO(llm),
    "scores shuffled": lambda llm: OPRO(llm, scores="shuffled"),
    "scores hidden": lambda llm: OPRO(llm, scores="hidden"),
    "scores ranked": lambda llm: OPRO(llm, scores="ranked"),
    "scores as they are": lambda llm: OPRO(llm, scores="rounded"),
    "largest gain first": lambda llm: OPRO(llm, order="best"),
    "random order": lambda llm: OPRO(llm, order="random"),
    "moves of the best 8": lambda llm: OPRO(llm, top_k=8),
    "5 moves of the best 20": lambda llm: OPRO(llm, top_k=20),
    "10 moves of the best 20": lambda llm: OPRO(llm, shown=10, top_k=20),
    "10 moves of the best 40": lambda llm: OPRO(llm, shown=10, top_k=40),
    "1 prompt, 8 samples": lambda llm: OPRO(llm, prompts=1),
    "4 prompts, 2 samples each": lambda llm: OPRO(llm, prompts=4),
    "1 sample a step": lambda llm: OPRO(llm, samples=1),
    "2 samples a step": lambda llm: OPRO(llm, samples=2),
    "4 samples a step": lambda llm: OPRO(llm, samples=4),
    "16 samples a step": lambda llm: OPRO(llm, samples=16),
    "2 to 16 samples a step, more where steps find nothing": lambda llm: Growing(llm, samples=2),
    "temperature 0.3": lambda llm: OPRO(llm, temperature=0.3),
    "temperature 1": lambda llm: OPRO(llm, temperature=1.0),
    "temperature that rises where steps find nothing": lambda llm: Warming(llm),
    "no model: numbers of the prompt": lambda llm: OPRO(Copier(), serializer="moves"),
    "no model: lines of the prompt": lambda llm: OPRO(Copier(whole=True), serializer="moves"),
    "no model: numbers, best 8": lambda llm: OPRO(Copier(), serializer="moves", top_k=8),
    "no model: lines, best 8": lambda llm: OPRO(Copier(whole=True), serializer="moves", top_k=8),
    "known solutions allowed": lambda llm: OPRO(llm, exclude_known=False),
    "solutions": lambda llm: _solutions(llm),
    "solutions, scores shuffled": lambda llm: _solutions(llm, scores="shuffled"),
    "solutions, scores hidden": lambda llm: _solutions(llm, scores="hidden"),
    "solutions, scores ranked": lambda llm: _solutions(llm, scores="ranked"),
    "solutions, scores in 10 levels": lambda llm: _solutions(llm, levels=10),
    "solutions, logarithms of scores": lambda llm: _solutions(llm, Logarithmic()),
    "solutions, digits of losses apart": lambda llm: _solutions(llm, Spaced()),
    "solutions, gains that rise": lambda llm: _solutions(llm, Gains()),
    "solutions, target: the best so far": lambda llm: _solutions(llm, SameLevel()),
    "solutions, loss after the solution": lambda llm: _solutions(llm, ValueLast()),
    "solutions, three targets a step": lambda llm: _solutions(llm, kind=SeveralTargets),
    "solutions, values without names": lambda llm: _solutions(llm, kind=Bare),
    "solutions, digits of values apart": lambda llm: _solutions(llm, kind=DigitsApart),
    "solutions, one order of variables": lambda llm: _solutions(llm, kind=SameOrder),
    "solutions, best first": lambda llm: _solutions(llm, order="best"),
    "solutions, successive incumbents": lambda llm: _solutions(llm, kind=Records),
    "solutions, best and latest": lambda llm: _solutions(llm, kind=BestAndLatest),
    "solutions, stratified": lambda llm: _solutions(llm, kind=Stratified),
    "solutions, restarts where steps find nothing": lambda llm: _solutions(llm, kind=Restarting),
    "solutions, 5 of the best 10": lambda llm: _solutions(llm, shown=5, top_k=10),
    "solutions, 1 prompt": lambda llm: _solutions(llm, prompts=1),
    "solutions, 8 prompts": lambda llm: _solutions(llm, prompts=8),
    "solutions, temperature 1.4": lambda llm: _solutions(llm, temperature=1.4),
}
DEFAULT = next(iter(DESIGNS))
