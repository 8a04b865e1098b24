"""Vectors by moves: a pattern of moves that gained something, which a model continues."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.llm.base import Capabilities, Request, Sampling
from llmopt.opro.constraint import constraint
from llmopt.opro.known import known_rows
from llmopt.opro.move_codec import MoveCodec, is_moved
from llmopt.opro.move_units import moves_from
from llmopt.opro.query import Query, reader
from llmopt.opro.scores import ScoreForm, plain
from llmopt.opro.serializer import remarks
from llmopt.opro.trajectory import Order
from llmopt.solver import Task
from llmopt.space import Columns, Vector, take

SHOWN = 5
TEMPERATURE = 0.6
"""Below the model's own 1.0: the variety comes from the prompts."""
LEVELS = 9
"""Of gains: a small model that reads numbers of several digits writes some as moves, which lead too far."""
SHORTEST, LONGEST = 1 / 8, 4.0
"""What the moves of a prompt are multiplied by, log-uniform."""
BACK = 1 / 4
"""The share of the prompts in which they lead back."""
_WIDER = 5
"""So many times as many, at most half of all, tell how variables move together: the best ones may lie on a line."""
_FEW = 4
"""So many moves for each evaluation are few: they may all be known, since several lead to the same solution."""
_END = "\n"
_LARGEST = float(np.finfo(np.float64).max)


class MovePrompts:
    """Asks for the next move from the incumbent, below moves between good solutions, each from the worse to the better.

    Every prompt shows random pairs of the best solutions, by what they gained, and asks for twice the largest gain::

        gain=1 at w=-2 b=11
        gain=3 at w=1 b=-2
        gain=9 at w=2 b=-8
        gain=18 at w=

    A small model repeats what it reads with small changes. Where it reads solutions, it proposes what lies among them;
    where it reads moves, it goes on beyond the best one, as differential evolution does (its control is
    :class:`llmopt.baselines.controls.Differential`). It keeps few numbers together and prefers those without a sign:
    so each is counted from where those before it let it be expected (:func:`llmopt.opro.move_units.moves_from`), and a
    step draws in which direction.

    Parameters
    ----------
    task
        Of a vector with numbers that can move.
    top_k
        How many of the best solutions the pairs are of; see :func:`default_top_k`.
    shown
        Moves in a prompt. All of one prompt are multiplied by one number, log-uniform from an eighth to four; in a
        quarter of the prompts, they lead back. So a step looks near and far, and beyond the best as well as behind it.
    order
        ``"worst"``: the largest gain last; ``"best"``: first; ``"oldest"``: by when the better solution was found;
        ``"random"``.
    scores
        Gains: ``"rescaled"`` to ``levels`` for the largest; ``"rounded"``: as they are, with ``digits`` decimals;
        ``"ranked"``; ``"hidden"``; ``"shuffled"``: rescaled ones, beside which the moves are dealt.
    digits
        See ``scores``; None: three significant digits.
    levels
        See ``scores``.
    temperature
        Of the replies.
    exclude_known
        Whether the grammar leaves out moves to known solutions.
    hint
        What the user knows, in words; it stands above all.
    """

    def __init__(
        self,
        task: Task,
        *,
        top_k: int | None,
        shown: int,
        order: Order,
        scores: ScoreForm,
        digits: int | None,
        levels: int,
        temperature: float,
        exclude_known: bool,
        hint: str = "",
    ) -> None:
        assert isinstance(task.space, Vector)
        self._task, self._space = task, task.space
        self._top_k = top_k or default_top_k(task.space)
        self._shown, self._order = shown, order
        self._scores, self._digits, self._levels = scores, digits, levels
        self._temperature = temperature
        self._exclude_known = exclude_known
        self._hint = hint

    @property
    def any_gain(self) -> bool:
        """Whether any of the best solutions is better than another one, so that there is a move to show."""
        history = self._task.history
        best = history.losses[history.best(self._top_k)]
        return len(best) > 0 and bool(best[0] < best[-1])

    def queries(
        self,
        samples: Sequence[int],
        step: int,
        rng: np.random.Generator,
        *,
        able: Capabilities,
        note: str = "",
        first: int = 0,
    ) -> list[Query]:
        """Return the requests of a step, where there is :attr:`any_gain`.

        Parameters
        ----------
        samples
            Replies to each prompt. Every second one writes the variables in the opposite order.
        step
            Counted from 0.
        rng
            Draws the pairs.
        able
            What the model can do.
        note
            What another solver has found out, in words.
        first
            The number of the first request in this step.
        """
        codecs = self._codecs(rng)
        sides = {i % 2 for i in range(first, first + len(samples))}
        # Of one prompt, only its own side's: a grammar costs time.
        constraints = [
            constraint(codec, able, codec.lead, ("", _END), known.copy if self._exclude_known else list, chat=False)
            if side in sides
            else None
            for side, (codec, known) in enumerate(codecs)
        ]
        above = remarks(note, self._hint)
        found = []
        for i, n in enumerate(samples, first):
            (codec, _), bound = codecs[i % 2], constraints[i % 2]
            request = Request(
                "\n".join([*above, *self._lines(codec, rng)]),
                n=n,
                max_tokens=codec.longest + 8,
                constraint=bound,
                sampling=Sampling(self._temperature),
                stop=() if bound else (_END,),
            )
            found.append(Query(request, reader(codec, codec.lead, ends=True), (self._task.seed, step, i)))
        return found

    def _codecs(self, rng: np.random.Generator) -> list[tuple[MoveCodec, set[str]]]:
        """Return the codecs of a step: one for each order of the variables, each with directions of its own, and with
        its known moves."""
        history = self._task.history
        half = min(max(self._top_k, len(history) // 2), _WIDER * self._top_k)
        best = take(history.columns, history.best(half))
        names = list(self._space.variables)
        return [self._codec(best, order, rng.choice([-1, 1], len(names))) for order in (names, names[::-1])]

    def _codec(self, best: Columns, order: Sequence[str], signs: NDArray[np.int64]) -> tuple[MoveCodec, set[str]]:
        """Return the codec of the coarsest units, as they are wanted or finer, in which not all moves are known, and
        those that are; where there is none, the finest."""
        counted = partial(moves_from, self._space, self._origin(), best, near=self._top_k, order=order, signs=signs)
        codec = counted()
        for finer in itertools.count(1):
            known = self._known(codec)
            following = codec if len(known) < codec.count else counted(finer=finer)
            if (following.units == codec.units).all():
                break
            codec = following
        return codec, known

    def _origin(self) -> dict[str, Any]:
        incumbent = self._task.history.incumbent
        assert incumbent is not None
        solution: dict[str, Any] = incumbent.solution
        return solution

    def _lines(self, codec: MoveCodec, rng: np.random.Generator) -> list[str]:
        history = self._task.history
        best = history.best(self._top_k)
        better, worse = (best[i] for i in np.triu_indices(len(best), 1))
        with np.errstate(over="ignore"):
            gains = np.minimum(history.losses[worse] - history.losses[better], _LARGEST)
        pairs = np.flatnonzero(gains > 0)
        if len(pairs) > self._shown:
            pairs = rng.choice(pairs, self._shown, replace=False)
        pairs = pairs[self._places(gains[pairs], better[pairs], rng)]
        start, end = (take(history.columns, rows[pairs]) for rows in (worse, better))
        texts = codec.moves(start, end, _factor(rng), rng)
        if self._scores == "shuffled":
            # Beside gains in their order: a true order of the moves would tell what the gains do not.
            texts = [texts[i] for i in rng.permutation(len(texts))]
        shown, target = self._gains(gains[pairs])
        lines = [*zip(shown, texts, strict=True), (target, codec.lead)]
        return [f"gain={gain} at {text}" if gain else text for gain, text in lines]

    def _places(
        self, gains: NDArray[np.float64], found: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        if self._order == "random":
            return rng.permutation(len(gains))
        rising = np.argsort(found if self._order == "oldest" else gains, kind="stable")
        return rising[::-1] if self._order == "best" else rising

    def _gains(self, gains: NDArray[np.float64]) -> tuple[list[str], str]:
        """Return the texts of gains, and of the one to ask for."""
        largest = float(gains.max(initial=0.0))
        if self._scores == "hidden":
            return [""] * len(gains), ""
        if self._scores == "ranked":
            ranks = np.argsort(np.argsort(gains, kind="stable"), kind="stable") + 1
            return [str(rank) for rank in ranks], str(len(gains) + 1)
        if self._scores == "rounded":
            *written, target = map(self._written, [*gains.tolist(), min(2 * largest or 1.0, _LARGEST)])
            return written, target
        return [str(max(1, round(self._levels * (gain / largest)))) for gain in gains.tolist()], str(2 * self._levels)

    def _written(self, gain: float) -> str:
        return f"{gain:.3g}" if self._digits is None else plain(gain, self._digits)

    def _known(self, codec: MoveCodec) -> set[str]:
        """Return the moves nearest to solutions that a model would repeat; where there are few moves, also all others
        that lead to a known solution, such as one on beyond an end of the space."""
        history = self._task.history
        rows = np.array(known_rows(history), dtype=np.int64)
        near = set(codec.moves(self._space.pack([self._origin()]), take(history.columns, rows)))
        if codec.count > _FEW * len(history):
            return near
        texts, solutions = zip(*codec.every(), strict=True)
        found, _ = history.match(self._space.keys(self._space.pack(solutions)))
        return near.union(texts[i] for i in np.flatnonzero(found < len(history)))


def default_top_k(space: Vector) -> int:
    """Return four for each number that moves, from 8 to 100.

    A search that looks at as few as there are numbers sees a part of the space alone, and soon loses its width.
    """
    return min(max(8, 4 * sum(map(is_moved, space.variables.values()))), 100)


def _factor(rng: np.random.Generator) -> float:
    length = float(SHORTEST * (LONGEST / SHORTEST) ** rng.random())
    return -length if rng.random() < BACK else length
