"""The texts of a run's solutions, each written once."""

from __future__ import annotations

from typing import Any

import numpy as np

from llmopt.opro.codec import Codec
from llmopt.opro.known import known_rows
from llmopt.solver import Task
from llmopt.space import Permutation


class Writer:
    """The texts of a run's solutions under one codec, each written once."""

    def __init__(self, codec: Codec[Any], task: Task) -> None:
        self.codec = codec
        self._task = task
        self._texts: dict[int, str] = {}

    def text(self, row: int) -> str:
        if row not in self._texts:
            history = self._task.history
            self._texts[row] = self.codec.encode(history.space.row(history.columns, row))
        return self._texts[row]

    def shown(self, row: int, rng: np.random.Generator) -> str:
        """Return the text of a solution for a prompt: a round trip from anywhere and in any direction it may have, so
        that a model does not take the places of its entries for a property."""
        space = self._task.space
        if isinstance(space, Permutation) and space.symmetry != "none":
            return self.codec.encode(space.turned(space.row(self._task.history.columns, row), rng))
        return self.text(row)

    def known(self) -> list[str]:
        """Return the texts of the evaluations that a model would repeat."""
        return [self.text(row) for row in known_rows(self._task.history)]
