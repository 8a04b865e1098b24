"""What a reply may be: the texts of a codec that are not known yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from llmopt.llm.base import Capabilities, Constraint
from llmopt.opro.codec import Codec
from llmopt.opro.grammar import enclosed


def constraint(
    codec: Codec[Any],
    able: Capabilities,
    opening: str,
    ends: tuple[str, str],
    known: Callable[[], Iterable[str]],
    *,
    chat: bool,
) -> Constraint | None:
    """Return the constraint of a reply; None where the model obeys none.

    Parameters
    ----------
    codec
        How a solution is written.
    able
        What the model can do.
    opening
        What the prompt already holds of the text, see :meth:`Codec.grammar`.
    ends
        What stands before and behind the text in the reply.
    known
        Makes the texts that the grammar leaves out; called where there is a grammar.
    chat
        Whether the prompt is a conversation: a schema bounds its answer, and not a text that is continued.
    """
    if not (able.grammar or (able.schema and chat)):
        return None
    grammar = None
    if able.grammar:
        # Where every text is known, only repeats are left to say; the objective counts them.
        inner = codec.grammar(opening=opening, known=known()) or codec.grammar(opening=opening)
        assert inner is not None
        grammar = enclosed(inner, *ends)
    return Constraint(grammar, codec.schema())
