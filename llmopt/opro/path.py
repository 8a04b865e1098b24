"""Orders whose entries have labels, as a path that a model continues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from llmopt.llm.base import Capabilities, Constraint, Reply, Request, Sampling
from llmopt.opro.codec import Decoded, no_solution
from llmopt.opro.grammar import quote
from llmopt.opro.joins import Change, Join, joins
from llmopt.opro.query import Query, cut_off
from llmopt.opro.serializer import remarks
from llmopt.opro.stagnation import stagnation, warmed
from llmopt.solver import Task

SEPARATOR = " ->"
SHOWN = 2
"""Entries of a path: of 1, 2 and 4 below examples, a small model names near cities best after 2 (docs/results.md)."""


class PathPrompts:
    """Asks for one leg: shows the last entries of a good order by their labels, and lets the model name the next.

    The problem's examples stand above it, which are the same for every order::

        8,2 -> 8,3 -> 7,4 -> 7,5 -> 6,6 -> 5,8 -> 4,8
        5,8 -> 3,8 ->

    The grammar offers what would make a new solution; the rest of it is completed without a look at the problem, see
    :func:`llmopt.opro.joins.joins`. So every reply is a solution that is not yet known, at the price of one label.

    Parameters
    ----------
    task
        Of a permutation whose entries have labels. Entries with equal labels are told apart by chance.
    candidates
        See :func:`llmopt.opro.joins.joins`.
    temperature
        Of the replies after a step that found a better order; every other step raises it, see
        :func:`llmopt.opro.stagnation.warmed`.
    hint
        What the user knows, in words; it stands above all.
    change
        What happens to the rest of the order.
    """

    def __init__(
        self, task: Task, *, candidates: int, temperature: float, hint: str = "", change: Change = "local"
    ) -> None:
        assert task.labels is not None
        self._task = task
        self._labels = [" ".join(label.split()) for label in task.labels]
        self._candidates = candidates
        self._temperature = temperature
        above = remarks(hint)
        above += [f"{SEPARATOR} ".join(example) for example in task.examples]
        self._above = "".join(f"{line}\n" for line in above)
        self._change: Change = change

    def queries(self, n: int, step: int, rng: np.random.Generator, *, able: Capabilities) -> list[Query]:
        """Return ``n`` requests for one reply each to a model that can so much; ``step`` counts from 0."""
        found = joins(
            self._task.history,
            n,
            rng,
            step=step + 1,
            candidates=self._candidates,
            shown=SHOWN,
            change=self._change,
        )
        sampling = Sampling(warmed(self._temperature, stagnation(self._task.history, step + 1)))
        places = [(self._task.seed, step, i) for i in range(len(found))]
        return [self._query(join, sampling, place, rng, able) for join, place in zip(found, places, strict=True)]

    def _query(
        self,
        join: Join,
        sampling: Sampling,
        place: tuple[int, int, int],
        rng: np.random.Generator,
        able: Capabilities,
    ) -> Query:
        # Equal labels: the last one in a random order stands for all.
        options = {self._labels[join.entries[i]]: join.orders[i] for i in rng.permutation(len(join.entries))}
        texts = sorted(options)
        request = Request(
            self._above + " ".join(f"{self._labels[entry]}{SEPARATOR}" for entry in join.path),
            max_tokens=2 * max(map(len, texts)) + 4,
            # A schema bounds no text that is continued.
            constraint=Constraint(alternatives(texts), {"type": "string", "enum": texts}) if able.grammar else None,
            sampling=sampling,
            stop=() if able.grammar else (SEPARATOR, "\n"),
        )
        return Query(request, lambda reply: _read(reply, options), place)


def alternatives(texts: Sequence[str]) -> str:
    """Return the grammar of labels, each after a space."""
    return f"root ::= {' | '.join(quote(f' {text}') for text in texts)}\n"


def _read(reply: Reply, options: Mapping[str, Any]) -> Decoded[Any]:
    label = reply.text.strip().strip('"')
    if label in options:
        return Decoded(options[label])
    raise cut_off() if reply.finish_reason == "length" else no_solution()
