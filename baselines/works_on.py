"""The one error of a method that cannot work on a kind of space."""

from __future__ import annotations

import re
from typing import Any

from llmopt.errors import InvalidInput
from llmopt.space import Permutation, Space, Text, Vector

_WORDS: dict[type[Space[Any]], str] = {
    Vector: "vectors of numbers and choices",
    Permutation: "permutations",
    Text: "texts",
}


def works_on(kind: type[Space[Any]], space: Space[Any], solver: object, name: str | None = None) -> None:
    """Refuse a space of another kind, in the name of a solver: by default that of its class.

    Raises
    ------
    InvalidInput
        The space is of another kind.
    """
    if not isinstance(space, kind):
        name = name or re.sub("(?<=[a-z])(?=[A-Z])", "-", type(solver).__name__).lower()
        other = f"{type(space).__name__.lower()}s"
        raise InvalidInput(f"{name} works on {_WORDS[kind]}, not on {other}; random and opro work on every space")
