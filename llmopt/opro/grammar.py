"""GBNF grammars of finite languages, with single texts taken out.

A language is written as a set of *ranges*: texts of one length in which some positions are digits, the digits
read as one number lying between two bounds. Whole numbers, decimals and choices are unions of a few ranges, so
that a variable with a million values needs a handful of rules. Known texts are taken out by walking the trie of
the known ones beside the language: only where a known text begins does a rule differ from the free one, so the
grammar grows with the number of known texts, not with the number of free ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

DIGIT = "\0"


class Range(NamedTuple):
    """The texts of one length that have digits where ``template`` has :data:`DIGIT`, its characters elsewhere,
    and whose digits lie between those of ``low`` and ``high``."""

    template: str
    low: str
    high: str

    def after(self, character: str) -> Range | None:
        """Return what may follow a first character, None where it cannot come first."""
        first, rest = self.template[0], self.template[1:]
        if first != DIGIT:
            return Range(rest, self.low[1:], self.high[1:]) if character == first else None
        if not self.low[0] <= character <= self.high[0]:
            return None
        low = self.low[1:] if character == self.low[0] else rest.replace(DIGIT, "0")
        high = self.high[1:] if character == self.high[0] else rest.replace(DIGIT, "9")
        return Range(rest, low, high)

    def first(self) -> str:
        """Return the characters that may come first."""
        if self.template[0] != DIGIT:
            return self.template[0]
        return "".join(map(chr, range(ord(self.low[0]), ord(self.high[0]) + 1)))


Language: TypeAlias = frozenset[Range]


def literal(text: str) -> Range:
    """Return the range that holds one text alone."""
    return Range(text, text, text)


def whole_numbers(low: int, high: int, decimals: int = 0, sign: str = "") -> Language:
    """Return the decimal texts of low .. high, each divided by ``10**decimals``, without needless zeros.

    The number 0 is written without a sign; ``sign`` is put before every text.
    """
    if low < 0:
        negative = whole_numbers(max(1, -high), -low, decimals, "-")
        return negative | whole_numbers(0, high, decimals) if high >= 0 else negative
    ranges = set()
    shortest = decimals + 1
    for digits in range(max(shortest, len(str(low))), max(shortest, len(str(high))) + 1):
        least = low if digits == shortest else max(low, 10 ** (digits - 1))
        most = min(high, 10**digits - 1)
        if least <= most:
            ends = [_pointed(str(end).zfill(digits), decimals) for end in (least, most)]
            template = _pointed(DIGIT * digits, decimals)
            ranges.add(Range(sign + template, sign + ends[0], sign + ends[1]))
    return frozenset(ranges)


def _pointed(digits: str, decimals: int) -> str:
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits


def fixed_decimal(number: int, decimals: int) -> str:
    """Return the text of ``number / 10**decimals``, as in :func:`whole_numbers`."""
    sign = "-" if number < 0 else ""
    return sign + _pointed(str(abs(number)).zfill(decimals + 1), decimals)


def enclosed(grammar: str, before: str, after: str) -> str:
    """Return a grammar whose texts stand between two fixed ones."""
    ends = [quote(end) for end in (before, after) if end]
    whole = " ".join([*ends[: bool(before)], "solution", *ends[bool(before) :]])
    return f"root ::= {whole}\n" + grammar.replace("root ::=", "solution ::=", 1)


_Trie: TypeAlias = dict[str, "_Trie"]


def sequence_grammar(parts: Sequence[str | Language], known: Iterable[str] = ()) -> str | None:
    """Return the grammar of fixed texts and languages one after the other, without the known texts.

    Parameters
    ----------
    parts
        Texts, each as it stands, and languages. After a language comes a text, or the end, that starts with a
        character which cannot continue the language's texts.
    known
        Whole texts that the grammar must not allow; texts outside the language change nothing.

    Returns
    -------
    str or None
        GBNF with the start symbol ``root``; None where every text is known.
    """
    trie: _Trie = {}
    for text in known:
        node = trie
        for character in text:
            node = node.setdefault(character, {})
        node[""] = {}
    writer = _Writer(parts)
    start = writer.rule(0, None, trie or None)
    return None if start is None else "\n".join([f"root ::= {start}", *writer.lines]) + "\n"


class _Writer:
    """Writes one rule for each state (part, rest of the language) and each trie node beside it."""

    def __init__(self, parts: Sequence[str | Language]) -> None:
        self.parts = parts
        self.lines: list[str] = []
        self._free: dict[tuple[int, Language | None], str | None] = {}
        self._followers: dict[Language, dict[str, Language]] = {}

    def rule(self, part: int, rest: Language | None, known: _Trie | None) -> str | None:
        """Return the name of the rule for what comes next (empty text: nothing more), None for a dead end."""
        if known is None and (part, rest) in self._free:
            return self._free[part, rest]
        alternatives = self._alternatives(part, rest, known)
        name: str | None = None
        if alternatives == ['""']:
            name = '""'
        elif alternatives:
            name = f"r{len(self.lines)}"
            self.lines.append(f"{name} ::= {' | '.join(alternatives)}")
        if known is None:
            self._free[part, rest] = name
        return name

    def _alternatives(self, part: int, rest: Language | None, known: _Trie | None) -> list[str]:
        if part == len(self.parts):
            return [] if known is not None and "" in known else ['""']
        content = self.parts[part]
        if isinstance(content, str):
            for character in content:
                known = known.get(character) if known is not None else None
            following = self.rule(part + 1, None, known)
            return [] if following is None else [_joined(quote(content), following)]
        rest = content if rest is None else rest
        alternatives = []
        if any(not r.template for r in rest):
            ending = self._alternatives(part + 1, None, known)
            alternatives.extend(ending)
        # Characters that lead to the same rule share one alternative.
        targets: dict[str, list[str]] = {}
        for character, following_language in self._follow(rest).items():
            below = known.get(character) if known is not None else None
            following = self.rule(part, following_language, below)
            if following is not None:
                targets.setdefault(following, []).append(character)
        alternatives.extend(_joined(_one_of(chars), following) for following, chars in targets.items())
        return alternatives

    def _follow(self, language: Language) -> Mapping[str, Language]:
        if language not in self._followers:
            table: dict[str, set[Range]] = {}
            for r in language:
                for character in r.first() if r.template else "":
                    following = r.after(character)
                    assert following is not None
                    table.setdefault(character, set()).add(following)
            self._followers[language] = {c: frozenset(table[c]) for c in sorted(table)}
        return self._followers[language]


def _joined(first: str, following: str) -> str:
    return first if following == '""' else f"{first} {following}"


def _one_of(characters: list[str]) -> str:
    if len(characters) == 1:
        return quote(characters[0])
    return "[" + "".join(_escaped(c, "]^-") for c in characters) + "]"


def quote(text: str) -> str:
    """Return a GBNF literal."""
    return '"' + "".join(_escaped(c, '"') for c in text) + '"'


def _escaped(character: str, special: str) -> str:
    if character in special or character == "\\":
        # A backslash before a caret or a hyphen is not in every reader's grammar; code points are.
        return "\\" + character if character in '"\\]' else f"\\x{ord(character):02X}"
    code = ord(character)
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02X}"
    return character
