"""What of a prompt the study changes: each design is one change of the default."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from llmopt.llm.base import LLM
from llmopt.objective import Proposals
from llmopt.opro import OPRO
from llmopt.opro.offset_codec import OffsetCodec, units_for
from llmopt.opro.serializer import Continuation, Prompt, Serializer, View
from llmopt.opro.writer import Writer
from llmopt.solver import AskTellSolver
from llmopt.space import Vector, take


class Shuffled(Serializer):
    """The default pattern with the scores dealt to other solutions: does the model use them at all?"""

    chat = False

    def prompt(self, view: View) -> Prompt:
        rng = np.random.default_rng(zlib.crc32("".join(view.solutions).encode()))
        return Continuation().prompt(replace(view, scores=[view.scores[i] for i in rng.permutation(len(view.scores))]))


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


class Gains(Serializer):
    """Scores as gains over the worst, which rise to the best."""

    chat = False

    def prompt(self, view: View) -> Prompt:
        numbers = [int(score) for score in view.scores]
        worst = max(numbers, default=0)
        lines = [f"gain={worst - n} at {text}" for n, text in zip(numbers, view.solutions, strict=True)]
        opening = view.codec.lead
        return Prompt("\n".join([*lines, f"gain={worst} at {opening}"]), opening, "\n")


class SameOrder(OPRO):
    """The variables in one order in all prompts."""

    def ask(self, n: int) -> Proposals:
        self._writers[1] = self._writers[0]
        return super().ask(n)


class Offsets(OPRO):
    """Solutions as offsets from one of the candidates."""

    origin = -1
    """Which candidate, in the order of the prompt: the last is the best."""
    reach = 50
    sign = 1

    def ask(self, n: int) -> Proposals:
        history, space = self.task.history, self.task.space
        rows = self.candidates()
        if len(rows) and isinstance(space, Vector):
            columns = take(history.columns, rows)
            origin = space.row(columns, self.origin % len(rows))
            codec = OffsetCodec(space, origin, self.sign * units_for(space, columns, origin, self.reach))
            self._writers = [Writer(codec, self.task), Writer(codec.reversed(), self.task)]
        return super().ask(n)


class OffsetsFromWorst(Offsets):
    """Solutions as offsets from the worst candidate, so that a trend shows as numbers that grow."""

    origin = 0


class Moves(Offsets):
    """The move that leads from each solution to the best one; the open line asks for the next move from there."""

    sign = -1


def before_the_sign(solver: type[OPRO]) -> type[OPRO]:
    """The open line ends before the equals sign: `=-` is one token, which `=` at the end of a prompt rules out."""

    class Early(solver):  # type: ignore[misc, valid-type]
        def ask(self, n: int) -> Proposals:
            for writer in self._writers:
                writer.codec.lead = writer.codec.lead.removesuffix("=")
            return super().ask(n)

        def _queries(self, n):
            for writer in self._writers:
                writer.codec.lead = writer.codec.lead.removesuffix("=")
            return super()._queries(n)

    return Early


class CoarseOffsets(Offsets):
    """Offsets of one digit."""

    reach = 9


class FineOffsets(Offsets):
    """Offsets of three digits."""

    reach = 500


class Records(OPRO):
    """The successive incumbents only: the way that the search has gone."""

    def candidates(self) -> NDArray[np.int64]:
        losses = self.task.history.losses
        finite = np.flatnonzero(np.isfinite(losses))
        records = finite[np.r_[True, losses[finite][1:] < np.minimum.accumulate(losses[finite])[:-1]]]
        return np.asarray(records[-self.top_k :], dtype=np.int64)


class BestAndLatest(OPRO):
    """Half of the candidates are the best, half the latest, by loss."""

    def candidates(self) -> NDArray[np.int64]:
        history = self.task.history
        latest = np.arange(len(history))[-(self.top_k // 2) :]
        return self._falling(np.union1d(history.best(self.top_k // 2), latest[np.isfinite(history.losses[latest])]))

    def _falling(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return rows[np.argsort(-self.task.history.losses[rows], kind="stable")]


class Stratified(OPRO):
    """Candidates at equal distances in rank through the whole history, the incumbent among them."""

    def candidates(self) -> NDArray[np.int64]:
        ranked = self.task.history.best(len(self.task.history))
        places = np.unique(np.rint(np.linspace(0, len(ranked) - 1, min(self.top_k, len(ranked)))).astype(int))
        return ranked[places][::-1]


Make = Callable[[LLM], AskTellSolver]

DESIGNS: dict[str, Make] = {
    "default": lambda llm: OPRO(llm),
    "scores shuffled": lambda llm: OPRO(llm, serializer=Shuffled()),
    "offsets from the best": lambda llm: Offsets(llm),
    "default, before the sign": lambda llm: before_the_sign(OPRO)(llm),
    "offsets, before the sign": lambda llm: before_the_sign(Offsets)(llm),
    "moves, before the sign": lambda llm: before_the_sign(Moves)(llm),
    "moves to the best": lambda llm: Moves(llm),
    "moves, scores shuffled": lambda llm: Moves(llm, serializer=Shuffled()),
    "offsets, scores shuffled": lambda llm: Offsets(llm, serializer=Shuffled()),
    "offsets, 1 prompt": lambda llm: Offsets(llm, prompts=1),
    "moves, 1 prompt": lambda llm: Moves(llm, prompts=1),
    "offsets from the worst": lambda llm: OffsetsFromWorst(llm),
    "8 prompts, 1 sample each": lambda llm: OPRO(llm, prompts=8),
    "1 prompt, 8 samples": lambda llm: OPRO(llm, prompts=1),
    "20 of the best 40 shown": lambda llm: OPRO(llm, shown=20, top_k=40),
    "5 of the best 10 shown": lambda llm: OPRO(llm, shown=5, top_k=10),
    "temperature 1.4": lambda llm: OPRO(llm, temperature=1.4),
    "temperature 0.7": lambda llm: OPRO(llm, temperature=0.7),
    "successive incumbents": lambda llm: Records(llm),
    "stratified": lambda llm: Stratified(llm),
    "best and latest": lambda llm: BestAndLatest(llm),
    "scores hidden": lambda llm: OPRO(llm, scores="hidden"),
    "scores ranked": lambda llm: OPRO(llm, scores="ranked"),
    "logarithms of scores": lambda llm: OPRO(llm, serializer=Logarithmic()),
    "gains that rise": lambda llm: OPRO(llm, serializer=Gains()),
    "target: the best so far": lambda llm: OPRO(llm, serializer=SameLevel()),
    "one order of variables": lambda llm: SameOrder(llm),
    "offsets of one digit": lambda llm: CoarseOffsets(llm),
    "offsets of three digits": lambda llm: FineOffsets(llm),
    "loss after the solution": lambda llm: OPRO(llm, serializer=ValueLast()),
    "best first": lambda llm: OPRO(llm, order="best"),
    "scores as they are": lambda llm: OPRO(llm, scores="rounded"),
    "scores in 10 levels": lambda llm: OPRO(llm, levels=10),
    "digits of losses apart": lambda llm: OPRO(llm, serializer=Spaced()),
    "random order": lambda llm: OPRO(llm, order="random"),
    "oldest first": lambda llm: OPRO(llm, order="oldest"),
    "known solutions allowed": lambda llm: OPRO(llm, exclude_known=False),
}
