"""Solutions below solutions: the best of a history with their scores, and the request for a better one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.llm.base import Capabilities, Constraint, Request, Sampling
from llmopt.opro.codec import Codec
from llmopt.opro.constraint import constraint
from llmopt.opro.query import Query, reader
from llmopt.opro.scores import ScoreForm, shown_losses
from llmopt.opro.serializer import Prompt, Serializer, View
from llmopt.opro.trajectory import Order
from llmopt.opro.writer import Writer
from llmopt.solver import Task


class SolutionPrompts:
    """Asks for the next solution below some of the best with their scores.

    Parameters
    ----------
    task
        The run.
    codecs
        The text forms of its solutions, which the prompts of a step take in turn.
    scores, digits, levels
        How scores are written, see :func:`llmopt.opro.scores.shown_losses`.
    exclude_known
        Whether the grammar leaves out known solutions.
    max_tokens
        Upper bound on the tokens of a reply without a grammar.
    hint
        What the user knows, in words.
    order
        In which order the candidates of every step come.
    """

    def __init__(
        self,
        task: Task,
        codecs: Sequence[Codec[Any]],
        *,
        scores: ScoreForm,
        digits: int | None,
        levels: int,
        exclude_known: bool,
        max_tokens: int,
        hint: str = "",
        order: Order = "worst",
    ) -> None:
        self._task = task
        self._writers = [Writer(codec, task) for codec in codecs]
        self._scores, self._digits, self._levels = scores, digits, levels
        self._exclude_known, self._max_tokens = exclude_known, max_tokens
        self._hint = hint
        self._order: Order = order

    def queries(
        self,
        samples: Sequence[int],
        step: int,
        rng: np.random.Generator,
        serializer: Serializer,
        candidates: NDArray[np.int64],
        *,
        shown: int | None,
        temperature: float,
        able: Capabilities,
        note: str = "",
        first: int = 0,
    ) -> list[Query]:
        """Return the requests of a step.

        Parameters
        ----------
        samples
            Replies to each prompt.
        step
            Counted from 0.
        rng
            Draws what each prompt shows.
        serializer
            What a prompt looks like.
        candidates
            The rows of the history that it may show, in their order.
        shown
            So many of them, drawn for each prompt; None: all.
        temperature
            Of the replies.
        able
            What the model can do.
        note
            What another solver has found out, in words.
        first
            The number of the first request in this step.
        """
        queries = []
        constraints: dict[int, Constraint | None] = {}
        for i, n in enumerate(samples, first):
            side = i % len(self._writers)
            writer = self._writers[side]
            rows = candidates
            if shown is not None and len(rows) > shown:
                rows = rows[np.sort(rng.choice(len(rows), shown, replace=False))]
            prompt = serializer.prompt(self._view(writer, rows, rng, note, serializer.chat))
            if side not in constraints:
                constraints[side] = self._constraint(writer, prompt, able)
            bound = constraints[side]
            request = Request(
                prompt.content,
                n=n,
                max_tokens=writer.codec.longest + 8 if bound else self._max_tokens,
                constraint=bound,
                sampling=Sampling(temperature),
                stop=(prompt.ending,) if prompt.ending and not bound else (),
            )
            read = reader(writer.codec, prompt.opening, ends=bool(prompt.ending or bound))
            queries.append(Query(request, read, (self._task.seed, step, i)))
        return queries

    def _view(self, writer: Writer, rows: NDArray[np.int64], rng: np.random.Generator, note: str, chat: bool) -> View:
        history = self._task.history
        # A chat reads the user's own sign where it reads scores or none; a pattern's loss falls line by line.
        label = {"ranked": "rank", "rescaled": "loss", "shuffled": "loss"}.get(self._scores, "score")
        own_sign = chat and label == "score" and history.maximize
        losses = history.losses[rows]
        falling = np.argsort(-losses, kind="stable")
        shown, target = shown_losses(
            (-losses if own_sign else losses)[falling], self._scores, self._digits, self._levels
        )
        scores = [shown[i] for i in np.argsort(falling, kind="stable")]
        # Beside losses in their order: a true order of the solutions would tell what the losses do not.
        dealt = rng.permutation(rows) if self._scores == "shuffled" else rows
        return View(
            description=f"{self._task.description}\n{self._task.space.describe()}",
            hint=self._hint,
            note=note,
            codec=writer.codec,
            solutions=[writer.shown(int(row), rng) for row in dealt],
            scores=scores,
            target=target,
            maximize=own_sign,
            label=label,
            order=self._order,
        )

    def _constraint(self, writer: Writer, prompt: Prompt, able: Capabilities) -> Constraint | None:
        ends = ("", prompt.ending) if prompt.ending else ("[", "]")
        known = writer.known if self._exclude_known else list
        chat = not isinstance(prompt.content, str)
        return constraint(writer.codec, able, prompt.opening, ends, known, chat=chat)
