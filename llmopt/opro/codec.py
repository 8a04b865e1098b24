"""One solution as text, and text as a solution: what a model writes and how it is read."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Generic, NamedTuple, TypeVar

from llmopt.errors import DecodeError, InvalidInput
from llmopt.space import Space

S = TypeVar("S")

# Model output is hostile: no more than so many characters of a reply are looked at, from its end.
READ_LIMIT = 20_000

_BRACKETED = re.compile(r"\[([^\[\]]*)\]")
_JSON_OBJECT = re.compile(r"\{[^{}]*\}")


class Decoded(NamedTuple, Generic[S]):
    """A solution read from a reply, and how many of its entries had to be repaired."""

    solution: S
    repairs: int = 0


class Codec(ABC, Generic[S]):
    """The text form of a space's solutions.

    Every text that the grammar allows decodes to a member of the space, and ``decode(encode(x))`` is ``x``
    where x is on the lattice that the text form can show (see :mod:`llmopt.opro.lattice`).

    Attributes
    ----------
    lead
        What every text begins with; a prompt for continuation ends with it.
    longest
        An upper bound on the characters of a text.
    """

    lead: str = ""
    longest: int

    @abstractmethod
    def encode(self, solution: S) -> str:
        """Return the text of a solution."""

    @abstractmethod
    def decode(self, text: str) -> Decoded[S]:
        """Read the last solution of a free text.

        Raises
        ------
        DecodeError
            There is none; the message is a reason from a small set, and never holds the model's words.
        """

    @abstractmethod
    def grammar(self, *, opening: str = "", known: Iterable[str] = ()) -> str | None:
        """Return the GBNF grammar of the texts.

        Parameters
        ----------
        opening
            What the prompt already holds of the text: ``""`` or ``lead``.
        known
            Texts that are not allowed, as many as the codec can take out.

        Returns
        -------
        str or None
            None where every text is known.
        """

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of a solution; ``decode`` reads its JSON texts too."""

    def form(self) -> str:
        """Return a pattern that shows a reader how a solution is written, such as ``w=..., b=...``."""
        return "..."


def codec_for(space: Space[Any], resolution: int = 1_000) -> Codec[Any]:
    """Return the codec of a space.

    Parameters
    ----------
    space
        A Vector, Permutation or Text.
    resolution
        The least number of lattice points across the range of a real variable.

    Raises
    ------
    InvalidInput
        The space is of another kind.
    """
    from llmopt.opro.permutation_codec import PermutationCodec
    from llmopt.opro.text_codec import TextCodec
    from llmopt.opro.vector_codec import VectorCodec
    from llmopt.space import Permutation, Text, Vector

    if isinstance(space, Vector):
        return VectorCodec(space, resolution=resolution)
    if isinstance(space, Permutation):
        return PermutationCodec(space)
    if isinstance(space, Text):
        return TextCodec(space)
    raise InvalidInput(f"there is no text form for {space!r}; give OPRO a codec of your own")


def bracketed(text: str) -> list[str]:
    """Return the contents of square brackets, the last first."""
    return _BRACKETED.findall(text)[::-1]


def json_objects(text: str) -> list[dict[str, Any]]:
    """Return the flat JSON objects in a text, the last first."""
    found = []
    for match in _JSON_OBJECT.findall(text)[::-1]:
        try:
            value = json.loads(match)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def cleaned(text: str) -> str:
    """Return the part of a reply that is read, with the minus signs and spaces of typesetting made plain."""
    text = text[-READ_LIMIT:]
    for minus in "\u2212\u2010\u2011\u2012\u2013":
        text = text.replace(minus, "-")
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def no_solution() -> DecodeError:
    """Return the error for a reply that holds nothing of the sought form."""
    return DecodeError("no solution in the reply")
