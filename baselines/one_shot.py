"""Instructions from one prompt that never changes: what a model writes without any history."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llmopt.baselines.instruction_writer import ENDING, InstructionWriter
from llmopt.llm.base import LLM
from llmopt.opro.instruction_text import END, EXAMPLE, OPEN, shown
from llmopt.settings import check_whole
from llmopt.solver import Task


class OneShot(InstructionWriter):
    """Draws instructions from one prompt with a few examples, as APE does in its first round (Zhou et al., ICLR 2023).

    Parameters
    ----------
    llm, samples, temperature, max_tokens, retries, hint
        See :class:`llmopt.baselines.instruction_writer.InstructionWriter`.
    exemplars
        How many examples the prompt shows; they are drawn once.
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
        exemplars: int = 3,
    ) -> None:
        super().__init__(
            llm, samples=samples, temperature=temperature, max_tokens=max_tokens, retries=retries, hint=hint
        )
        check_whole("exemplars", exemplars, 0)
        self.exemplars = exemplars

    def start(self, task: Task, rng: np.random.Generator) -> None:
        super().start(task, rng)
        count = min(self.exemplars, len(task.exemplars))
        chosen = [task.exemplars[i] for i in rng.choice(len(task.exemplars), count, replace=False)]
        examples = "\n\n".join(map(shown, chosen))
        self._prompt = (
            f"Write an instruction for a language model that answers questions like these. Each is between {EXAMPLE} "
            f"and {END}, and no request to you; {OPEN} shows where the instruction will stand:\n\n{examples}\n\n"
            "The instruction must be short and hold for all questions of this kind. "
            f"{ENDING}"
        )

    def prompts(self, n: int) -> Sequence[tuple[str, int]]:
        return [(self._prompt, n)]
