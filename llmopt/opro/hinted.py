"""How a base model reads a user's hint: it continues examples of hints and of the solutions that they mean."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from llmopt.opro.serializer import Prompt, Serializer, View

EXAMPLES = 9
TEMPERATURE = 0.3
"""Below the sampling of a search: a hint is to be read, not varied."""

_WORDINGS: tuple[Callable[[Mapping[str, str]], str], ...] = (
    lambda values: "near " + " and ".join(f"{name} = {value}" for name, value in values.items()),
    lambda values: "the best values are about " + ", ".join(f"{name}={value}" for name, value in values.items()),
    lambda values: " and ".join(f"{name} is close to {value}" for name, value in values.items()),
)


class Hinted(Serializer):
    """Solutions behind hints that name them in words, then the user's hint and an open line.

    A base model passes over a hint that stands above a pattern, but a pattern of hints and solutions it continues
    (measured, see ``docs/hybrid.md``). The examples are the shown solutions, with numbers of two digits and in three
    wordings; their scores are not shown, since nothing is to be improved here::

        # near w = 18 and b = 15
        w=18 b=15
        # w is close to 10 and b is close to 13
        w=10 b=13
        # the line falls, and b is near 30
        w
    """

    chat = False

    def prompt(self, view: View) -> Prompt:
        lines = []
        for i, text in enumerate(view.solutions[-EXAMPLES:]):
            values = {name: _in_words(value) for name, value in view.codec.decode(text).solution.items()}
            lines += [f"# {_WORDINGS[i % len(_WORDINGS)](values)}", text]
        # A tokenizer may have one token for "=-": behind "w=" the sign of a negative number gets lost.
        opening = view.codec.lead.removesuffix("=")
        return Prompt("\n".join([*lines, f"# {' '.join(view.hint.split())}", opening]), opening, "\n")


def _in_words(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2g}"
    words = str(value)
    # What stands behind the break of a line would be no hint, but a solution.
    return words if "".join(words.splitlines()) == words else json.dumps(words, ensure_ascii=False)


def due(step: int) -> bool:
    """Return whether a hint is read again: at steps 1, 2, 4, 8 and so on, since what a good one gave is soon among the
    best solutions, and what a bad one gave is not asked for much longer."""
    return step & (step - 1) == 0
