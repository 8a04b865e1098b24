"""An evolutionary search whose crossover and mutation are done by a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llmopt.baselines.instruction_writer import ENDING, InstructionWriter
from llmopt.errors import InvalidInput
from llmopt.llm.base import LLM
from llmopt.opro.instruction_text import marked

_LEAST = 1e-3
"""What a worthless instruction counts as, so that two different ones can always be drawn."""


class Evolution(InstructionWriter):
    """A genetic algorithm on instructions, as EvoPrompt's (Guo et al., ICLR 2024, section 3.2), in our own words.

    Two parents are drawn from the best ``population`` instructions in proportion to their scores; a model crosses them
    and changes the child in one request; the best survive.

    Parameters
    ----------
    llm, samples, temperature, max_tokens, retries, hint
        See :class:`llmopt.baselines.instruction_writer.InstructionWriter`.
    population
        How many instructions may be parents.
    """

    def __init__(
        self,
        llm: LLM,
        *,
        samples: int = 8,
        temperature: float = 1.0,
        max_tokens: int = 512,
        retries: int = 2,
        hint: str = "",
        population: int = 10,
    ) -> None:
        super().__init__(
            llm, samples=samples, temperature=temperature, max_tokens=max_tokens, retries=retries, hint=hint
        )
        if isinstance(population, bool) or not isinstance(population, int) or population < 2:
            raise InvalidInput(f"evolution: population must be a whole number of at least 2, not {population!r}")
        self.population = population

    def prompts(self, n: int) -> Sequence[tuple[str, int]]:
        history = self.task.history
        rows = history.best(self.population)
        texts = history.space.solutions(history.columns)
        parents = [texts[row] for row in rows] or texts or [""]
        fitness = np.full(len(parents), _LEAST)
        if len(rows):
            worth = -history.losses[rows]
            # Accuracies are shares of a wheel as they are; other scores may lie below 0.
            fitness = np.maximum(worth - min(0.0, worth.min()), _LEAST)
        found = []
        for _ in range(n):
            drawn = self.rng.choice(len(parents), 2, replace=len(parents) < 2, p=fitness / fitness.sum())
            first, second = (parents[i] for i in drawn)
            found.append(
                (
                    f"Two instructions for a language model:\n\n{marked(first)}\n\n{marked(second)}\n\nFirst cross "
                    "them: take something from each. Then change the result a little, so that it becomes a better "
                    f"instruction. Write only the final one. {ENDING}",
                    1,
                )
            )
        return found
