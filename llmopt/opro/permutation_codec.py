"""Permutations as text: ``0 3 1 2``, or ``A D B C``."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from typing import Any

import numpy as np

from llmopt.opro.codec import Codec, Decoded, bracketed, cleaned, no_solution
from llmopt.space import Permutation
from llmopt.space.permutation import Order

# Up to so many entries the grammar tracks which ones are left; it has 2**n rules.
_EXACT = 10
_NUMBER = re.compile(r"(?<![\w.\-])\d{1,9}(?![\w.])")
_LETTER = re.compile(r"(?<![\w.\-'])[A-Za-z](?![\w'])")
_LETTERS = string.ascii_uppercase + string.ascii_lowercase


class PermutationCodec(Codec[Order]):
    """The text form of permutations: the entries, separated by spaces.

    Up to 10 entries the grammar offers only entries that are still missing. For more it asks for n legal
    entries, and ``decode`` repairs: repeats are dropped, and what is missing is appended in index order,
    each counted as a repair. A text with fewer than n / 2 entries is refused.

    Parameters
    ----------
    space
        The permutations.
    letters
        Write the letters A to Z, then a to z, for the numbers from 0 on, where there are enough of them: a small
        model reads each as one token.

    Examples
    --------
    >>> from llmopt import Permutation
    >>> codec = PermutationCodec(Permutation(4))
    >>> codec.decode("best order: [2, 0, 0, 3]")
    Decoded(solution=array([2, 0, 3, 1], dtype=int32), repairs=2)
    >>> PermutationCodec(Permutation(4), letters=True).encode([2, 0, 3, 1])
    'C A D B'
    """

    def __init__(self, space: Permutation, *, letters: bool = False) -> None:
        self.space = space
        self._letters = letters and space.n <= len(_LETTERS)
        self._names = list(_LETTERS[: space.n]) if self._letters else [str(i) for i in range(space.n)]
        self.longest = space.n * (len(self._names[-1]) + 1)

    def encode(self, solution: Order) -> str:
        return " ".join(self._names[int(i)] for i in solution)

    def form(self) -> str:
        kind = "letters" if self._letters else "numbers"
        return f"the {kind} {self._names[0]} to {self._names[-1]} in a new order"

    def grammar(self, *, opening: str = "", known: Iterable[str] = ()) -> str | None:
        from llmopt.opro.grammar import quote

        n = self.space.n
        if n > _EXACT:
            entry = " | ".join(map(quote, self._names))
            more = f' (" " entry){{{n - 1}}}' if n > 1 else ""
            return f"root ::= entry{more}\nentry ::= {entry}\n"
        lines = [f"root ::= s{(1 << n) - 1}"]
        for left in range(1, 1 << n):
            options = []
            for i in (i for i in range(n) if left >> i & 1):
                rest = left & ~(1 << i)
                name = self._names[i]
                options.append(quote(f"{name} ") + f" s{rest}" if rest else quote(name))
            lines.append(f"s{left} ::= {' | '.join(options)}")
        return "\n".join(lines) + "\n"

    def schema(self) -> dict[str, Any]:
        n = self.space.n
        numbers = {"type": "integer", "minimum": 0, "maximum": n - 1}
        entry: dict[str, Any] = {"type": "string", "enum": self._names} if self._letters else numbers
        return {"type": "array", "items": entry, "minItems": n, "maxItems": n, "uniqueItems": True}

    def decode(self, text: str) -> Decoded[Order]:
        text = cleaned(text)
        lines = [line for line in text.splitlines() if line.strip()]
        read = [self._repaired(candidate) for candidate in [*bracketed(text), *lines[::-1]]]
        found = [decoded for decoded in read if decoded is not None]
        if not found:
            raise no_solution()
        # A whole order anywhere is meant rather than a broken one at the end.
        return next((decoded for decoded in found if decoded.repairs == 0), found[0])

    def _repaired(self, text: str) -> Decoded[Order] | None:
        if self._letters:
            written = [_LETTERS.index(letter) for letter in _LETTER.findall(text)]
        else:
            written = [int(number) for number in _NUMBER.findall(text)]
        entries = [i for i in written if i < self.space.n]
        if 2 * len(entries) < self.space.n:
            return None
        order = list(dict.fromkeys(entries))
        missing = sorted(set(range(self.space.n)) - set(order))
        repairs = len(written) - len(order) + len(missing)
        return Decoded(np.array(order + missing, dtype=np.int32), repairs)
