"""Free text."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput
from llmopt.space.base import Columns, Keys, Space, length

COLUMN = "text"
_LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz "))


@dataclass(frozen=True)
class Text(Space[str]):
    """Texts of bounded length, such as instructions.

    Two texts are the same solution when they differ only in case and white space, as the paper's filter for
    repeated instructions has it (OPRO, section 4.2 and appendix A).

    Parameters
    ----------
    max_length, min_length
        In characters.
    digits
        Whether digits may occur; the paper forbids them for GSM8K, since they tend to leak answers.

    Examples
    --------
    >>> from llmopt import Text
    >>> space = Text(max_length=40, digits=False)
    >>> space.violation("Add 2 and 2.")
    'a digit occurs'
    >>> space.key("Think  first.") == space.key("think first.")
    True
    """

    max_length: int = 500
    min_length: int = 1
    digits: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.min_length <= self.max_length or self.max_length < 1:
            raise InvalidInput(
                f"{self!r}: the space is empty; lengths must be 0 <= min_length <= max_length and max_length >= 1"
            )

    @property
    def size(self) -> None:
        """None: texts are finitely many only in principle."""
        return None

    def sample(self, n: int, rng: np.random.Generator) -> Columns:
        """Draw random letters and spaces: members, but without sense. A problem gives better start points."""
        lengths = rng.integers(self.min_length, min(self.max_length, self.min_length + 40) + 1, n)
        return self.pack(["".join(rng.choice(_LETTERS, count)) for count in lengths])

    def violation(self, solution: object) -> str | None:
        if not isinstance(solution, str):
            return f"{solution!r} is not a text"
        if not self.min_length <= len(solution) <= self.max_length:
            return f"{len(solution)} characters instead of {self.min_length} to {self.max_length}"
        for character in solution:
            if character not in "\n\t" and unicodedata.category(character) in ("Cc", "Cs"):
                return f"the control character {character!r} occurs"
            # The digits of every script count, as int() reads them all.
            if not self.digits and character.isdecimal():
                return "a digit occurs"
        return None

    def pack(self, solutions: Sequence[str]) -> Columns:
        texts = np.empty(len(solutions), dtype=object)
        texts[:] = list(solutions)
        return {COLUMN: texts}

    def row(self, columns: Columns, i: int) -> str:
        return str(columns[COLUMN][i])

    def member_mask(self, columns: Columns) -> NDArray[np.bool_]:
        return np.fromiter((self.contains(t) for t in columns[COLUMN]), dtype=np.bool_, count=length(columns))

    def keys(self, columns: Columns) -> Keys:
        return [" ".join(text.casefold().split()) for text in columns[COLUMN]]

    def to_json(self, solution: str) -> Any:
        return solution

    def from_json(self, value: Any) -> str:
        if reason := self.violation(value):
            raise InvalidInput(f"not a solution of {self!r}: {reason}")
        return str(value)

    def describe(self) -> str:
        digits = "" if self.digits else ", without digits"
        return f"a text of {self.min_length} to {self.max_length} characters{digits}"

    def present(self, columns: Columns) -> list[str]:
        """Return the texts as a list."""
        return list(columns[COLUMN])
