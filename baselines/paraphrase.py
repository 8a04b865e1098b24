"""Instructions that say the same in other words: a random walk without a look at scores."""

from __future__ import annotations

from collections.abc import Sequence

from llmopt.baselines.instruction_writer import ENDING, InstructionWriter
from llmopt.opro.instruction_text import marked


class Paraphrase(InstructionWriter):
    """Lets a model write a random earlier instruction in other words; scores have no part in it."""

    def prompts(self, n: int) -> Sequence[tuple[str, int]]:
        history = self.task.history
        known = [text for text in history.space.solutions(history.columns) if text.strip()] or ["Answer the question."]
        chosen = self.rng.choice(len(known), n)
        return [(rewording(known[i]), 1) for i in chosen]


def rewording(instruction: str) -> str:
    """Return the prompt that asks for an instruction in other words."""
    return f"Say the same in other words:\n\n{marked(instruction)}\n\nWrite one new version. {ENDING}"
