"""GBNF grammars of finite languages, with single texts taken out.

A language is written as a set of *ranges*: texts of one length in which some positions are digits, the digits
read as one number lying between two bounds. Whole numbers, decimals and choices are unions of a few ranges, so
that a variable with a million values needs a handful of rules. Known texts are taken out by walking the trie of
the known ones beside the language: only where a known text begins does a rule differ from the free one, so the
grammar grows with the number of known texts, not with the number of free ones. The rest of a known text that
shares its beginning with no other is one nested expression, which stays as it is from step to step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, TypeAlias

DIGIT = "\0"

_FIRST = itemgetter(slice(1))


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


class SequenceGrammar:
    """Fixed texts and languages one after the other.

    Parameters
    ----------
    parts
        Texts, each as it stands, and languages. After a language comes a text, or the end, that starts with a
        character which cannot continue the language's texts.
    """

    def __init__(self, parts: Sequence[str | Language]) -> None:
        self._lines: list[str] = []
        self._memo: dict[Language, _State] = {}
        self._start = self._end = _State('""')
        for part in reversed(parts):
            self._memo.clear()
            self._start = self._text(part, self._start) if isinstance(part, str) else self._state(part, self._start)
        self._all_but_one: dict[tuple[_State, str], str | None] = {}

    def without(self, known: Iterable[str]) -> str | None:
        """Return GBNF with the start symbol ``root`` of all texts but the known ones, None where all are known.

        Known texts outside the language change nothing. What was written for the texts of the last call is used
        again, which does not change the result.
        """
        last, self._all_but_one = self._all_but_one, {}
        nodes: list[tuple[_State, list[str]]] = []

        def branch(first: str, state: _State, known: list[str]) -> tuple[str, str | int | None]:
            """Return a fixed text and what follows it: an expression, None for a dead end, or a node's number."""
            while len(known) > 1 and state.text:
                first, known = first + state.text, _after(state.text, known)
                state = state.next_part
            if not known:
                return first, state.free
            if len(known) == 1:
                key = state, known[0]
                expression = last[key] if key in last else self._without_one(*key)
                self._all_but_one[key] = expression
                return first, expression
            if state is self._end:
                return first, None if "" in known else state.free
            nodes.append((state, known))
            return first, len(nodes) - 1

        root = branch("", self._start, sorted(set(known)))
        branches = []
        for state, texts in nodes:  # which grow on the way: a node's number is above that of its parent
            following: list[tuple[str, str | int | None]] = []
            beyond: list[str] = []
            known_first = ""
            for character, group in groupby(texts, _FIRST):
                if character in state.follow:
                    known_first += character
                    following.append(branch(character, state.follow[character], [text[1:] for text in group]))
                else:
                    beyond += group
            if state.may_end:
                following.append(branch("", state.next_part, beyond))
            branches.append((state.others(known_first), following))

        names: list[str | None] = [None] * len(nodes)
        lines = []

        def written(first: str, following: str | int | None) -> str | None:
            return _joined(first, names[following] if isinstance(following, int) else following)

        for i in reversed(range(len(nodes))):
            others, following = branches[i]
            if expression := _either(others, *(written(*each) for each in following)):
                names[i] = f"k{i}"
                lines.append(f"k{i} ::= {expression}")
        start = written(*root)
        return None if start is None else "\n".join([f"root ::= {start}", *reversed(lines), *self._lines]) + "\n"

    def _without_one(self, state: _State, known: str) -> str | None:
        """Return the expression of everything from a state on but one text; None where nothing is left.

        At each character of the text: another character and then anything, or this one and so on.
        """
        levels: list[tuple[str, str | None]] = []
        first = ""
        while True:
            character = known[:1]
            if state.text and known.startswith(state.text):
                first, known, state = first + state.text, known[len(state.text) :], state.next_part
            elif character in state.follow:
                others = state.others(character)
                levels.append((first, _either(others, state.next_part.free) if state.may_end else others))
                first, known, state = character, known[1:], state.follow[character]
            elif state.may_end:
                levels.append((first, state.others("")))
                first, state = "", state.next_part
            else:
                break
        expression = _joined(first, None if state is self._end and not known else state.free)
        for before, others in reversed(levels):
            if others:
                expression = f"({others} | {expression})" if expression else f"({others})"
            expression = _joined(before, expression)
        return expression

    def _state(self, language: Language, next_part: _State) -> _State:
        if language in self._memo:
            return self._memo[language]
        texts = [r.template for r in language]
        if len(texts) == 1 and DIGIT not in texts[0]:
            state = self._text(texts[0], next_part)
        else:
            follow = {c: self._state(following, next_part) for c, following in _follow(language).items()}
            state = _State(None, next_part=next_part, follow=follow, may_end="" in texts)
            state.free = self._rule(_either(state.others(""), next_part.free if state.may_end else None))
        self._memo[language] = state
        return state

    def _text(self, text: str, following: _State) -> _State:
        return _State(self._rule(_joined(text, following.free)), text, following) if text else following

    def _rule(self, expression: str | None) -> str | None:
        if expression is None:
            return None
        self._lines.append(f"r{len(self._lines)} ::= {expression}")
        return f"r{len(self._lines) - 1}"


class _State:
    """What may come next: a text and then the next part; or one of several characters, and the next part too
    where ``may_end``; or nothing. ``free`` is the name of the rule for all of it, None for a dead end."""

    def __init__(
        self,
        free: str | None,
        text: str = "",
        next_part: _State | None = None,
        follow: Mapping[str, _State] | None = None,
        may_end: bool = False,
    ) -> None:
        self.free = free
        self.text = text
        self.next_part = next_part or self
        self.follow = follow or {}
        self.may_end = may_end
        self._others: dict[str, str | None] = {}

    def others(self, characters: str) -> str | None:
        """Return the alternatives that begin with another character than the given ones."""
        if characters not in self._others:
            # Characters that lead to the same rule share one alternative.
            targets: dict[str, list[str]] = {}
            for character, state in self.follow.items():
                if character not in characters and state.free is not None:
                    targets.setdefault(state.free, []).append(character)
            alternatives = [_sequence(_one_of(chars), following) for following, chars in targets.items()]
            self._others[characters] = _either(*alternatives)
        return self._others[characters]


def _follow(language: Language) -> dict[str, Language]:
    table: dict[str, set[Range]] = {}
    for r in language:
        for character in r.first() if r.template else "":
            following = r.after(character)
            assert following is not None
            table.setdefault(character, set()).add(following)
    return {c: frozenset(table[c]) for c in sorted(table)}


def _after(beginning: str, texts: Iterable[str]) -> list[str]:
    return [text[len(beginning) :] for text in texts if text.startswith(beginning)]


def _either(*alternatives: str | None) -> str | None:
    return " | ".join([a for a in alternatives if a is not None]) or None


def _joined(text: str, following: str | None) -> str | None:
    """Return the expression of a text and what follows it, None for a dead end."""
    return following if following is None or not text else _sequence(quote(text), following)


def _sequence(first: str, following: str) -> str:
    return first if following == '""' else f"{first} {following}"


def _one_of(characters: list[str]) -> str:
    if len(characters) == 1:
        return quote(characters[0])
    return "[" + "".join(_escaped(c, "]^-") for c in characters) + "]"


@lru_cache(maxsize=4096)
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
