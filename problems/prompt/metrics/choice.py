"""Multiple choice: which of the options of its question a reply commits to."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.metrics.base import Metric
from llmopt.problems.prompt.metrics.exact import same_text
from llmopt.problems.prompt.metrics.final import conclusion, plain, statements
from llmopt.problems.prompt.metrics.letters import is_word
from llmopt.problems.prompt.metrics.negation import Stance, around, before

# How an example's input lists its options.
_HEADING = re.compile(r"\b(?:options|choices)[ \t]*:", re.IGNORECASE)
_LINE = re.compile(r"^[ \t]*+(?:[-*][ \t]*+)?(?:\(([A-Za-z])\)|([A-Za-z])[).:])[ \t]*+(.*)$", re.MULTILINE)
_INLINE = re.compile(r"(?<![^\s\[,;\"'])(?:\(([A-Za-z])\)|([A-Za-z])\))")

_TARGET = re.compile(r"\(?([A-Za-z])[).:]?")

# How a reply names them. Single quotes may stand around a letter, but "A's" and "o'B" are words.
_ENDS = r"(?!\w|'\w)"
_BEGINS = r"(?<!\w)(?<!\w')"
_ITEM = re.compile(rf"[(\[][ ]?(?P<bracketed>[A-Za-z])[ ]?[)\]]|(?P<bare>[A-Z]){_ENDS}[.):]?")
_BRACKETED = re.compile(r"(?<![\w\\])[(\[][ ]?([A-Za-z])[ ]?[)\]]")
_SMALL = re.compile(r"[^\w(\[]*+([a-z])(?!\w|'\w)[.):]?(.*)", re.DOTALL)
_CALLED = re.compile(rf"\b(?:option|choice)[ \t]++[\"']?([A-Z]){_ENDS}", re.IGNORECASE)
_LISTED = re.compile(r"^[ \t]*+([A-Z])[.):](?!\w)", re.MULTILINE)
_JUDGED = re.compile(
    rf"""
    (?:[(\[][ ]?(?P<bracketed>[A-Za-z])[ ]?[)\]] | {_BEGINS}(?P<bare>[A-Z])["']?)
    [ \t]++(?:is|must[ ]be|would[ ]be|should[ ]be)
    [ \t]++(?:(?:the|clearly|also|therefore|thus|most|likely|probably)[ \t]++){{0,3}}
    (?:correct|right|best|answer|solution)\b
    """,
    re.VERBOSE,
)
# A bare letter counts at the end of a line or clause, as in "I would say B."
_BARE = re.compile(
    rf"(?<!\.){_BEGINS}([A-Z])(?=[.!?\"'$]*+[ \t]*+$|[,;:/]|[ \t]++(?:or|and|because|since|as)\b)", re.MULTILINE
)
# A bare letter of which something is said counts too, as in "A is wrong, B is right".
_JUDGED_BARE = re.compile(
    rf"{_BEGINS}([A-Z])(?=[\"']?[ \t]++(?:is|must[ ]be|would[ ]be|should[ ]be|cannot[ ]be)[ \t]++(?:not[ \t]++)?"
    r"(?:(?:the|clearly|also|therefore|thus|most|likely|probably)[ \t]++){0,3}"
    r"(?:correct|right|best|answer|solution|wrong|incorrect|false|out|impossible)\b)"
)
_HYPOTHETICAL = re.compile(
    r"(?:\b(?:or|and|nor|if|whether|suppose|assume|assuming|why|how)|,)\s+(?:option\s+|choice\s+)?$", re.IGNORECASE
)

_WORD = r"\b(?:or|and|nor|either|both|maybe|possibly|perhaps|also|even|option|choice|answer|letter|the)\b"
_FILLER = re.compile(rf"(?:[^\w(\[]|{_WORD}|\b(?:definitely|clearly|likely|probably|therefore|thus|that)\b)*+", re.I)
_SEPARATOR = re.compile(rf"(?:[\s,;:/&+|.]|{_WORD})*+", re.IGNORECASE)
_REASONS = re.compile(r"\b(?:because|since|as|not|neither|rather|while|whereas|but|unlike)\b|n't\b", re.IGNORECASE)
_STRIPPED = ".,;:!?\"'()[]*$€£¥"


_MARKED = (_BRACKETED, _CALLED, _LISTED, _JUDGED_BARE)


class _Mention(NamedTuple):
    letters: frozenset[str]  # several where options have the same text
    start: int
    end: int


class Choice(Metric):
    """Says which option a reply commits to, and whether that is the target.

    The options are read from the example's input: lines such as "(A) text", "A) text", "A. text" or "A)text",
    after "Options:" or "Choices:" where there is such a heading, or the same within one line. Their letters must
    begin with A and have no gap; only after a heading may there be one alone.

    A reply names an option by its letter, "(B)", or "B" where it stands as an answer, or by the option's whole
    text; if one option's text contains another's, the longest match counts. Letters go before texts. A small letter
    without brackets counts where it is all that is said ("answer: b"). The last of the following that names an option
    decides, and if it names several, the reply is wrong:

    1. a last answer statement ("so the answer is (C)", "Answer: C", "(C) is correct"),
    2. a last sentence that draws a conclusion, or a last line that is nothing but an option where no other line
       begins with one,
    3. a first line that is nothing but an option, where no other line begins with one and the rest commits to no other,
    4. the whole reply.

    An option that is ruled out ("not (A)", "(A) is wrong") does not count as named, so that "Not (A), so (B)" commits
    to (B). Where it is open what a negation means ("I don't think it is (A)") an option is named, but not committed
    to.

    A target that is not a letter stands for the option with exactly that text. Where there is no such option no
    letter is right, :meth:`fits` is false, and only the target's own text scores.

    Examples
    --------
    >>> from llmopt.problems.prompt.examples import Example
    >>> example = Example("Which is a fruit?\\nOptions:\\n(A) oak\\n(B) pear", "(B)")
    >>> [Choice().score(reply, example) for reply in ("The answer is B.", "The pear", "(A), (B)")]
    [1.0, 1.0, 0.0]
    """

    def score(self, reply: str, example: Example) -> float:
        options = read_options(example.input)
        wanted = _letter_of(example.target, options)
        if wanted is None:
            return float(bool(example.target.strip()) and same_text(reply, example.target))
        return float(_Reader(options).choice(plain(reply)) == wanted)

    def parses(self, target: str) -> bool:
        """Whether a target is a letter; of another one only its example can tell, see :meth:`fits`."""
        return _TARGET.fullmatch(plain(target)) is not None

    def fits(self, example: Example) -> bool:
        return _letter_of(example.target, read_options(example.input)) is not None

    def names(self, text: str, target: str) -> bool:
        """Whether a text holds an option's text, whatever its punctuation; a letter alone is no answer in words."""
        said, wanted = _tokens(plain(text)), _tokens(plain(target))
        places = range(len(said) - len(wanted) + 1) if wanted and not self.parses(target) else ()
        return any(said[i : i + len(wanted)] == wanted for i in places)

    def options(self, example: Example) -> Sequence[str]:
        return tuple(f"({letter})" for letter in read_options(example.input))


def read_options(text: str) -> dict[str, str]:
    """Return the options that a question lists, text by letter; empty if there are not at least two.

    One alone will do in a line after a heading, as where an example of bbh/snarks is torn off.
    """
    headings = list(_HEADING.finditer(text))
    after = text[headings[-1].end() :] if headings else ""
    for region in (after, text):
        for found in (_in_lines(region), _inline(region)):
            options = _from_a(found)
            if len(options) >= 2:
                return options
    return _from_a(_in_lines(after))


def _in_lines(text: str) -> list[tuple[str, str]]:
    return [((m[1] or m[2]).upper(), m[3].strip()) for m in _LINE.finditer(text)]


def _inline(text: str) -> list[tuple[str, str]]:
    marks = list(_INLINE.finditer(text))
    ends = [*(m.start() for m in marks[1:]), len(text)]
    return [
        ((m[1] or m[2]).upper(), text[m.end() : end].strip(" \t\n,;\"'[]")) for m, end in zip(marks, ends, strict=False)
    ]


def _from_a(found: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the last run of letters that begins with A and has no gap."""
    options: dict[str, str] = {}
    for letter, text in found:
        if letter == "A":
            options = {letter: text}
        elif options and len(options) < 26 and letter == chr(ord("A") + len(options)):
            options[letter] = text
    return options


def _letter_of(target: str, options: Mapping[str, str]) -> str | None:
    text = plain(target)
    if match := _TARGET.fullmatch(text):
        letter = match[1].upper()
        return letter if not options or letter in options else None
    same = [letter for letter, option in options.items() if _tokens(plain(option)) == _tokens(text) != ()]
    return same[0] if len(same) == 1 else None


class _Reader:
    """Reads replies to a question with these options; with none, every letter is one."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self._letters = frozenset(options or "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        self._plain = {letter: plain(text) for letter, text in options.items()}
        # By the first word of an option's text; long ones first, so that the longest match is found first.
        self._texts: dict[str, list[tuple[tuple[str, ...], frozenset[str]]]] = {}
        letters: dict[tuple[str, ...], set[str]] = {}
        for letter, text in self._plain.items():
            if words := _tokens(text):
                letters.setdefault(words, set()).add(letter)
        for words in sorted(letters, key=len, reverse=True):
            self._texts.setdefault(words[0], []).append((words, frozenset(letters[words])))

    def choice(self, text: str) -> str | None:
        """Return the letter of the option that a reply commits to, if there is one."""
        text = self._without_turn(text)
        for sentence, rest in self._stated(text):
            if named := self._named(sentence, rest):
                return _single(named)
        last = conclusion(text)
        if last and len(named := self._named(last, last)) == 1:
            return _single(named)
        *lines, last = text.split("\n")
        if alone := self._alone(last, lines):
            return alone
        first, *lines = text.split("\n")
        if lines and (alone := self._alone(first, lines)):
            return alone if self.choice("\n".join(lines).strip()) in (None, alone) else None
        mentions = self._mentions(text) or self._by_text(text)
        affirmed, left_open = _said(text, mentions)
        return _single(affirmed | left_open) if affirmed else None

    def _without_turn(self, text: str) -> str:
        """Return a reply without the "A:" of a prompt in the form of questions and answers ("A: (C)")."""
        rest = text[2:].strip() if text.startswith("A:") else ""
        is_turn = rest and (self._leading(rest) or _tokens(rest) in map(_tokens, self._plain.values()))
        return rest if is_turn else text

    def _stated(self, text: str) -> list[tuple[str, str]]:
        """Return the answer statements, the last one first: the first sentence of each, and all of it."""
        found = [(s.start, s.sentence, s.text) for s in statements(text)]
        for match in _JUDGED.finditer(text):
            supposed = _HYPOTHETICAL.search(text[max(0, match.start() - 30) : match.start()])
            if not supposed and before(text, match.start()) is Stance.AFFIRMED:
                item = f"({match['bracketed'] or match['bare']})"
                found.append((match.start(), item, item))
        return [(sentence, rest) for _, sentence, rest in sorted(found, reverse=True)]

    def _named(self, sentence: str, rest: str) -> set[str]:
        """Return the options that a statement names before it gives reasons, or else instead of others ("not A but B");
        those ruled out do not count."""
        reason = _REASONS.search(sentence)
        mentions = self._mentions(sentence[: reason.start()] if reason else sentence)
        if letters := _said(sentence, mentions)[0]:
            return letters
        if mentions := mentions or self._mentions(sentence):
            return _instead(sentence, mentions)
        if mentions := self._by_text(sentence):
            affirmed, left_open = _said(sentence, mentions)
            return affirmed | left_open if affirmed else set()
        return self._text_at(rest[_past(_FILLER, rest, 0) :])

    def _mentions(self, text: str) -> list[_Mention]:
        """Return the letters that a text names as options, bare ones only where it affirms no others."""
        marked = [mention for pattern in _MARKED for mention in self._found(pattern, text)]
        found = [*marked, *self._leading(text)]
        return found if _said(text, found)[0] else [*found, *self._found(_BARE, text)]

    def _found(self, pattern: re.Pattern[str], text: str) -> Iterator[_Mention]:
        for match in pattern.finditer(text):
            if match[1].upper() in self._letters:
                yield self._mention(text, match[1].upper(), match.start(), match.end())

    def _leading(self, text: str) -> list[_Mention]:
        """Return the options that a text starts with: one, or several if it starts with a list of them."""
        if small := self._small(text):
            return [small]
        found = []
        position = _past(_FILLER, text, 0)
        while (match := _ITEM.match(text, position)) and (letter := (match[1] or match[2]).upper()) in self._letters:
            if match[2] and is_word(text, match.start(), match.end()):
                break
            found.append(self._mention(text, letter, match.start(), match.end()))
            position = _past(_SEPARATOR, text, found[-1].end)
        return found

    def _mention(self, text: str, letter: str, start: int, end: int) -> _Mention:
        """Return a mention by letter; what is said of it comes after the option's own text, if that follows."""
        option = self._plain.get(letter, "")
        position = _past(_SEPARATOR, text, end)
        follows = option and text[position : position + len(option)].casefold() == option.casefold()
        return _Mention(frozenset(letter), start, position + len(option) if follows else end)

    def _small(self, text: str) -> _Mention | None:
        """Return the option of a text that is nothing but its small letter, or that and the option's own text."""
        match = _SMALL.fullmatch(text)
        if match is None or (letter := match[1].upper()) not in self._letters:
            return None
        if (match[1],) in map(_tokens, self._plain.values()):
            return None
        said = _tokens(match[2])
        named = said in ((), _tokens(self._plain.get(letter, "")))
        return _Mention(frozenset(letter), match.start(1), match.end(1)) if named else None

    def _alone(self, line: str, others: Sequence[str]) -> str | None:
        """Return the option of a line that is nothing but one, where no other line begins with one."""
        found = self._leading(line)
        if len(found) != 1 or any(map(self._leading, others)):
            return None
        match = _ITEM.search(line, found[0].start)
        said = _tokens(line[match.end() :]) if match else ()
        letter = _single(found[0].letters)
        return letter if said in ((), _tokens(self._plain.get(letter or "", ""))) else None

    def _by_text(self, text: str) -> list[_Mention]:
        """Return the options whose whole texts occur; the same text of two options names both."""
        placed = [
            (word, part.start(), part.end())
            for part in re.finditer(r"\S+", text)
            if (word := part[0].casefold().strip(_STRIPPED))
        ]
        words = tuple(word for word, _, _ in placed)
        found = []
        position = 0
        while position < len(words):
            for option, letters in self._texts.get(words[position], ()):
                past = position + len(option)
                if words[position:past] == option:
                    found.append(_Mention(letters, placed[position][1], placed[past - 1][2]))
                    position = past - 1
                    break
            position += 1
        return found

    def _text_at(self, text: str) -> set[str]:
        """Return the option with whose text another one starts; such a text may hold the end of a sentence."""
        words = _tokens(text)
        for option, letters in self._texts.get(words[0], ()) if words else ():
            if words[: len(option)] == option:
                return set(letters)
        return set()


def _said(text: str, mentions: Iterable[_Mention]) -> tuple[set[str], set[str]]:
    """Return the letters that a text affirms and those that it leaves open; those that it rules out are in neither."""
    said: dict[Stance, set[str]] = {stance: set() for stance in Stance}
    for mention in mentions:
        said[around(text, mention.start, mention.end)] |= mention.letters
    return said[Stance.AFFIRMED], said[Stance.OPEN]


def _instead(text: str, mentions: Sequence[_Mention]) -> set[str]:
    """Return the letters that a text affirms where it rules out others."""
    affirmed, left_open = _said(text, mentions)
    named = {letter for mention in mentions for letter in mention.letters}
    return affirmed if affirmed and named - affirmed - left_open else set()


def _tokens(text: str) -> tuple[str, ...]:
    return tuple(word for part in text.casefold().split() if (word := part.strip(_STRIPPED)))


def _single(letters: Collection[str]) -> str | None:
    return next(iter(letters)) if len(letters) == 1 else None


def _past(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position
