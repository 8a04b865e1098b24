"""From the history to the text a model reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llmopt.llm.base import Message
from llmopt.opro.codec import Codec
from llmopt.opro.trajectory import Order


@dataclass(frozen=True)
class View:
    """What one prompt is made from.

    Parameters
    ----------
    description, hint
        The problem, and what the user knows of it, in words.
    codec
        How solutions are written.
    solutions
        Texts of evaluated solutions, in their ``order``.
    scores
        Their scores as shown; empty texts where scores are hidden.
    target
        A better score to ask for.
    maximize
        Whether better scores are larger.
    label
        What the shown numbers are: ``score``, ``loss`` or ``rank``.
    note
        What another solver has found out about the problem so far, in words.
    order
        Which of the solutions comes first.
    """

    description: str
    hint: str
    codec: Codec[Any]
    solutions: Sequence[str]
    scores: Sequence[str]
    target: str
    maximize: bool
    label: str = "score"
    note: str = ""
    order: Order = "worst"


@dataclass(frozen=True)
class Prompt:
    """A text to continue or a conversation, and what it already holds of the solution that is asked for.

    Parameters
    ----------
    content
        For :attr:`llmopt.llm.base.Request.prompt`.
    opening
        The beginning of the solution's text that stands at the end of ``content``.
    ending
        What closes the solution in the reply.
    """

    content: str | tuple[Message, ...]
    opening: str = ""
    ending: str = ""


class Serializer(ABC):
    """Writes prompts; has no state."""

    chat: bool
    """Whether the prompt is a conversation."""

    @abstractmethod
    def prompt(self, view: View) -> Prompt:
        """Return the prompt for one step."""


class Continuation(Serializer):
    """A pattern that a model continues: one line for each solution, worst first, then an open line.

    Small base models follow a pattern where they do not follow an instruction (measured, see
    ``docs/results.md``). The last line names a better loss than any above and stops where the solution begins::

        loss=1000 at w=18 b=15
        loss=412 at w=10 b=13
        loss=0 at w=
    """

    chat = False

    def prompt(self, view: View) -> Prompt:
        lines = remarks(view.note, view.hint)
        pairs = zip(view.scores, view.solutions, strict=True)
        lines += [f"loss={score} at {text}" if score else text for score, text in pairs]
        opening = view.codec.lead
        lines.append(f"loss={view.target} at {opening}" if view.target else opening)
        return Prompt("\n".join(lines), opening, "\n")


def remarks(*texts: str) -> list[str]:
    """Return what stands above a pattern: each text that there is as a line of its own."""
    return [f"# {' '.join(text.split())}" for text in texts if text]


class Chat(Serializer):
    """The meta-prompt of OPRO (sections 2 and 3.1, appendix C.1) in our own words.

    It holds the description, what the user knows, the solutions with their scores and which end of them comes first
    (where one does), and the request for one new solution in square brackets.
    """

    chat = True

    def prompt(self, view: View) -> Prompt:
        aim, ends = ("higher", ("lowest", "highest")) if view.maximize else ("lower", ("highest", "lowest"))
        form = f"[{view.codec.form()}]"
        parts = [view.description]
        if view.hint:
            parts.append(f"What is known: {view.hint}")
        stable = sum(len(part) + 2 for part in parts)
        if view.solutions:
            if view.scores[0]:
                first = {"worst": f", and the {ends[0]} comes first", "best": f", and the {ends[1]} comes first"}
                said = f"; a {aim} {view.label} is better" + first.get(view.order, "")
            else:
                said = {"worst": ", the best last", "best": ", the best first"}.get(view.order, "")
            parts.append(f"These solutions were tried{said}:")
            pairs = zip(view.scores, view.solutions, strict=True)
            parts.append(
                "\n".join(f"[{text}] {view.label}: {score}" if score else f"[{text}]" for score, text in pairs)
            )
        if view.note:
            parts.append(f"What the search has shown so far: {view.note}.")
        parts.append(
            f"Give one new solution that is different from all of the above and has a {aim} {view.label} than any of "
            f"them. Write it in square brackets, in the form {form}, at the end of your answer."
        )
        return Prompt((Message("user", "\n\n".join(parts), stable),), "", "")
