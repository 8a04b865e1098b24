"""A small reader of GBNF: draws random texts of a grammar and decides whether a text belongs to it.

The product never interprets grammars, llama.cpp does; tests need both directions without a model.
"""

import random
import re
from dataclasses import dataclass
from functools import cache

_TOKEN = re.compile(
    r"""\s*(?:(?P<literal>"(?:\\.|[^"\\])*")|(?P<class>\[(?:\\.|[^\]\\])*\])|(?P<name>[a-z][a-z0-9]*)"""
    r"""|(?P<repeat>\{\d+(?:,\d+)?\})|(?P<mark>[()|]))""",
    re.DOTALL,
)


@dataclass(frozen=True)
class Node:
    """A part of a rule."""

    kind: str
    value: object = None
    children: tuple["Node", ...] = ()
    bounds: tuple[int, int] = (1, 1)


class Grammar:
    """A parsed grammar.

    Parameters
    ----------
    text
        GBNF with the start symbol ``root``, one rule a line.

    Examples
    --------
    >>> grammar = Grammar('root ::= "w=" ("-" [1-9] | [0-9])')
    >>> grammar.allows("w=-3"), grammar.allows("w=-0")
    (True, False)
    >>> grammar.draw(random.Random(0))
    'w=4'
    """

    def __init__(self, text: str) -> None:
        self.rules: dict[str, Node] = {}
        for line in text.strip("\n").split("\n"):
            name, _, body = line.partition(" ::= ")
            tokens = [(m.lastgroup, m.group(m.lastgroup or 0)) for m in _TOKEN.finditer(body)]
            assert "".join(t for _, t in tokens).replace(" ", "") == body.replace(" ", "") or '"' in body, body
            node, rest = _alternatives(tokens)
            assert not rest, f"left over: {rest}"
            self.rules[name] = node

    def draw(self, rng: random.Random) -> str:
        """Return a random text of the grammar."""
        return self._draw(self.rules["root"], rng)

    def _draw(self, node: Node, rng: random.Random) -> str:
        if node.kind == "literal":
            return str(node.value)
        if node.kind == "class":
            assert isinstance(node.value, CharacterClass)
            return node.value.draw(rng)
        if node.kind == "name":
            return self._draw(self.rules[str(node.value)], rng)
        if node.kind == "any":
            return self._draw(rng.choice(node.children), rng)
        if node.kind == "repeat":
            low, high = node.bounds
            return "".join(self._draw(node.children[0], rng) for _ in range(rng.randint(low, high)))
        return "".join(self._draw(child, rng) for child in node.children)

    def allows(self, text: str) -> bool:
        """Return whether a text belongs to the grammar."""

        @cache
        def ends(node: Node, start: int) -> frozenset[int]:
            if node.kind == "literal":
                value = str(node.value)
                return frozenset({start + len(value)}) if text.startswith(value, start) else frozenset()
            if node.kind == "class":
                assert isinstance(node.value, CharacterClass)
                found = start < len(text) and node.value.holds(text[start])
                return frozenset({start + 1}) if found else frozenset()
            if node.kind == "name":
                return ends(self.rules[str(node.value)], start)
            if node.kind == "any":
                return frozenset().union(*(ends(child, start) for child in node.children))
            reached = frozenset({start})
            if node.kind == "repeat":
                low, high = node.bounds
                result = reached if low == 0 else frozenset()
                for i in range(1, high + 1):
                    reached = frozenset().union(*(ends(node.children[0], s) for s in reached))
                    result |= reached if i >= low else frozenset()
                return result
            for child in node.children:
                reached = frozenset().union(*(ends(child, s) for s in reached))
            return reached

        return len(text) in ends(self.rules["root"], 0)


@dataclass(frozen=True)
class CharacterClass:
    """Characters in square brackets."""

    ranges: tuple[tuple[int, int], ...]
    negated: bool

    def holds(self, character: str) -> bool:
        return any(low <= ord(character) <= high for low, high in self.ranges) != self.negated

    def draw(self, rng: random.Random) -> str:
        """Return a random text of the grammar."""
        while True:
            if self.negated:
                code = rng.choice([rng.randint(0, 0x7F), rng.randint(0, 0x2FF), rng.randint(0, 0x10FFFF)])
                code = 0x20 if 0xD800 <= code <= 0xDFFF else code
            else:
                code = rng.randint(*rng.choice(self.ranges))
            if self.holds(chr(code)):
                return chr(code)


_ESCAPE = re.compile(r"\\x([0-9A-Fa-f]{2})|\\(.)|(.)", re.DOTALL)


def _characters(text: str) -> list[tuple[str, bool]]:
    """Return each character and whether it was written plainly."""
    named = {"n": "\n", "t": "\t", "r": "\r"}
    return [
        (chr(int(code, 16)), False) if code else (named.get(escaped, escaped), False) if escaped else (plain, True)
        for code, escaped, plain in _ESCAPE.findall(text)
    ]


def _class(text: str) -> CharacterClass:
    characters = _characters(text)
    negated = bool(characters) and characters[0] == ("^", True)
    characters = characters[negated:]
    ranges, i = [], 0
    while i < len(characters):
        if i + 2 < len(characters) and characters[i + 1] == ("-", True):
            ranges.append((ord(characters[i][0]), ord(characters[i + 2][0])))
            i += 3
        else:
            ranges.append((ord(characters[i][0]),) * 2)
            i += 1
    return CharacterClass(tuple(ranges), negated)


Tokens = list[tuple[str | None, str]]


def _alternatives(tokens: Tokens) -> tuple[Node, Tokens]:
    options: list[Node] = []
    items: list[Node] = []
    while tokens and tokens[0] != ("mark", ")"):
        (kind, text), tokens = tokens[0], tokens[1:]
        if kind == "mark" and text == "|":
            options.append(Node("all", None, tuple(items)))
            items = []
        elif kind == "mark":
            inner, tokens = _alternatives(tokens)
            assert tokens.pop(0) == ("mark", ")")
            items.append(inner)
        elif kind == "repeat":
            bounds = [int(n) for n in text[1:-1].split(",")]
            items.append(Node("repeat", None, (items.pop(),), (bounds[0], bounds[-1])))
        elif kind == "literal":
            items.append(Node("literal", "".join(c for c, _ in _characters(text[1:-1]))))
        elif kind == "class":
            items.append(Node("class", _class(text[1:-1])))
        else:
            items.append(Node("name", text))
    options.append(Node("all", None, tuple(items)))
    return Node("any", None, tuple(options)), tokens
