"""Numbers: the one that a reply gives as its answer is compared with the target's as a rational."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.metrics.base import Metric
from llmopt.problems.prompt.metrics.final import plain, statements

TOLERANCE = Fraction(1, 1_000_000)

# A longer run of digits is no answer to anything, and Python refuses to read one beyond 4,300.
_MAX_DIGITS = 400

_UNITS = "one|two|three|four|five|six|seven|eight|nine"
_TEENS = "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_VALUES = {word: i for i, word in enumerate(f"zero|{_UNITS}|{_TEENS}".split("|"))}
_VALUES |= {"a": 1, "an": 1, **{word: 10 * (i + 2) for i, word in enumerate(_TENS.split("|"))}}
_NTHS = "third|fourth|fifth|sixth|seventh|eighth|ninth|tenth"
_PARTS = {"half": 2, "halves": 2, "quarter": 4}
_PARTS |= {word + plural: i + 3 for i, word in enumerate(_NTHS.split("|")) for plural in ("", "s")}
_SCALES = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}

# The grammar of English number words. A text that leaves it ends a number: "nineteen eighty-four" is two numbers.
_GAP = r"(?:-|[ \t]++)"
_UNIT = rf"(?:{_UNITS})\b"
_BELOW_100 = rf"(?:(?:{_TENS})\b(?:{_GAP}{_UNIT})?|(?:{_TEENS})\b|{_UNIT})"
_THEN = rf"{_GAP}(?:and\b[ \t]++)?"
_HUNDREDS = rf"(?:(?:{_BELOW_100}|an?\b){_GAP}hundred\b(?:{_THEN}{_BELOW_100})?)"
_GROUP = rf"(?:{_HUNDREDS}|{_BELOW_100})"
_COUNT = rf"(?:{_GROUP}|an?\b)"
# A comma may stand before hundreds and thousands; before what is smaller it separates numbers of a list.
_COMMA = r",[ \t]++(?:and\b[ \t]++)?"
_REST = rf"(?:{_THEN}{_GROUP}|{_COMMA}{_HUNDREDS})"
_WORDS = (
    rf"(?:{_COUNT}{_GAP}million\b(?:(?:{_THEN}|{_COMMA}){_GROUP}{_GAP}thousand\b)?(?:{_REST}(?!{_GAP}thousand\b))?"
    rf"|{_COUNT}{_GAP}thousand\b{_REST}?|{_GROUP}|zero\b)"
)
# One of several is none: "two quarters" are coins.
_SHARES = rf"(?:one{_GAP}(?:half|{_NTHS})|{_BELOW_100}{_GAP}(?:halves|(?:{_NTHS})s))\b"
_DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3})++(?![0-9])|[0-9]++)(?:\.[0-9]++)?+|\.[0-9]++"
# What goes on like this is a decimal comma, a time, a date or an address: no number, and no part of it is one.
_GOES_ON = r"(?![.,:/][0-9])"

_NUMBER = re.compile(
    rf"""
    (?P<minus>(?<![\w.)\]])-(?=[$€£¥]?[0-9.]) | \b(?:minus|negative)[ \t]++(?=\w|[$€£¥]|\.[0-9]))?
    (?: (?:[$€£¥][ ]?+)?+(?P<inner>(?<=[$€£¥])-)?
        (?<![A-Za-z_0-9])(?<![0-9][.,:/])
        (?: (?P<whole>[0-9]{{1,30}})[ ](?P<part>[0-9]{{1,30}})/(?P<of>[0-9]{{1,30}})(?![0-9/]){_GOES_ON}
          | (?P<top>[0-9]{{1,30}})[ ]?/[ ]?(?P<bottom>[0-9]{{1,30}})(?![0-9/]){_GOES_ON}
          | (?P<digits>{_DIGITS}){_GOES_ON}
            (?: e(?P<e>[+-]?[0-9]{{1,3}})(?!\w)
              | [ ]?(?:[x\u00d7*]|\\times)[ ]?10\^\{{?(?P<power>[+-]?[0-9]{{1,3}})(?![0-9])\}}?)?
            (?!(?:st|nd|rd|th)\b)
            (?:[ ](?P<scale>hundred|thousand|million|billion)\b)?
        )
      | (?<![\w'])(?<!\w-)
        (?:(?P<shares>{_SHARES})|(?P<words>{_WORDS})(?P<point>[ \t]point\b(?:[ \t](?:zero|{_UNIT}))++)?)
    )
    (?:[ ]and[ ](?:an?|one)[ ](?P<more>half|quarter|{_NTHS})\b)?
    """,
    re.IGNORECASE | re.VERBOSE,
)
# A minus with a space, after what announces a value or alone; else it stands in a list, a range or a difference.
_SPACED_MINUS = re.compile(
    r"((?:[=:({#]|\b(?:is|are|was|be|equals|gives))[ \t]*+|(?<!\S)\$)-[ \t]++(?=[$€£¥]?[.0-9])"
    r"|\A-[ \t]++(?=[^\sA-Za-z]++\Z)",
    re.IGNORECASE,
)
_STARTS = re.compile(r"(?:[^\w.$€£¥-]|\b(?:about|approximately|exactly|just|only|equal|to)\b)*+", re.IGNORECASE)
_OR = re.compile(r"[ \t]*+(?:%|percent|dollars)?[ \t]*+(?:or|and/or)\b[ \t]*+", re.IGNORECASE)


class _Found(NamedTuple):
    start: int
    end: int
    value: Fraction
    pronoun: bool  # the word "one" alone, which need not be a number


class Numeric(Metric):
    """Compares numbers exactly, as rationals.

    Read are digits with thousands separators ("1,080"), decimals, fractions ("3/4", "1 1/2", "½"), scientific
    notation ("1.5e3", "1.5 x 10^3"), minus signs and "minus", "2.5 million", and English number words up to the
    hundreds of millions ("sixteen", "one hundred and twenty-three thousand", "two and a half", "one third").
    Currencies, units, dozens and per cent are not part of the number: "50%", "50 percent" and "50" are equal, and 0.5
    is not 50%. The comma is a thousands separator only: "12,5" is no number, nor are times ("2:30"), dates
    ("12/25/2020") and ordinals ("2nd", "second"). A minus may have a space before its number where a value is
    announced ("x = - 18"), but not in lists and differences.

    Of a reply counts the number after the last ``####``; else in the last ``\\boxed{}``; else in the last answer
    statement ("the answer is ...", "Answer: ..."): the one that its first sentence starts with, or the last side of an
    equation there ("9 * 2 = 18 for 3 days"), otherwise the last of these, and none if two are offered ("17 or 18");
    else the last number of the reply, where "one" alone counts only if there is no other number ("18 is the right
    one").

    Whole numbers are equal or not. Where one of two numbers is not whole they may differ by 1e-6, or by 1e-6 of the
    target if that is less.

    A target is a text with exactly one number, or a solution of GSM8K, which ends with ``#### 18``.

    Examples
    --------
    >>> from llmopt.problems.prompt.examples import Example
    >>> Numeric().score("That makes sixteen dollars.", Example("How much?", "6"))
    0.0
    """

    def score(self, reply: str, example: Example) -> float:
        wanted = _target(example.target)
        given = _answer(_plain(reply)) if wanted is not None else None
        return float(wanted is not None and given is not None and _equal(given, wanted))

    def parses(self, target: str) -> bool:
        return _target(target) is not None

    def names(self, text: str, target: str) -> bool:
        wanted = _target(target)
        found = (number for number in _numbers(_plain(text)) if not number.pronoun)
        return wanted is not None and any(_equal(number.value, wanted) for number in found)


def _plain(text: str) -> str:
    return _SPACED_MINUS.sub(r"\1-", plain(text))


def _equal(given: Fraction, wanted: Fraction) -> bool:
    if given.denominator == wanted.denominator == 1:
        return given == wanted
    return abs(given - wanted) <= TOLERANCE * min(Fraction(1), abs(wanted))


def _target(target: str) -> Fraction | None:
    text = _plain(target)
    if hashed := [s.sentence for s in statements(text) if s.mark == "hash"]:
        text = hashed[-1]
    found = list(_numbers(text))
    return found[0].value if len(found) == 1 else None


def _answer(text: str) -> Fraction | None:
    stated = statements(text)
    for mark in ("hash", "boxed", "phrase"):
        for statement in reversed(stated):
            if statement.mark == mark and any(_numbers(statement.sentence)):
                return _stated(statement.sentence)
    numbers = list(_numbers(text))
    sure = [number for number in numbers if not number.pronoun] or numbers
    return sure[-1].value if sure else None


def _stated(sentence: str) -> Fraction | None:
    # The value of an equation is on its last side: "9 * 2 = 18 dollars in 1 day".
    sentence = next(side for side in reversed(sentence.split("=")) if any(_numbers(side)))
    found = list(_numbers(sentence))
    first = found[0]
    starts = _STARTS.match(sentence)
    if starts is None or first.start > starts.end():
        sure = [number for number in found if not number.pronoun] or found
        return sure[-1].value
    alternative = _OR.match(sentence, first.end)
    if alternative and len(found) > 1 and found[1].start == alternative.end() and found[1].value != first.value:
        return None
    return first.value


def _numbers(text: str) -> Iterator[_Found]:
    for match in _NUMBER.finditer(text):
        value = _value(match)
        if value is not None:
            yield _Found(match.start(), match.end(), value, match[0].lower() == "one")


def _value(match: re.Match[str]) -> Fraction | None:
    if match["shares"]:
        *count, part = re.findall(r"[a-z]+", match["shares"].lower())
        value = Fraction(_words(" ".join(count)), _PARTS[part])
    elif match["words"]:
        value = Fraction(_words(match["words"]))
        if match["point"]:
            decimals = "".join(str(_VALUES[word]) for word in match["point"].lower().split()[1:])
            value += Fraction(int(decimals[:_MAX_DIGITS]), 10 ** len(decimals[:_MAX_DIGITS]))
    elif match["whole"]:
        if not int(match["of"]):
            return None
        value = int(match["whole"]) + Fraction(int(match["part"]), int(match["of"]))
    elif match["top"]:
        if not int(match["bottom"]):
            return None
        value = Fraction(int(match["top"]), int(match["bottom"]))
    else:
        if len(match["digits"]) > _MAX_DIGITS:
            return None
        value = Fraction(match["digits"].replace(",", "")) * Fraction(10) ** int(match["e"] or match["power"] or 0)
        if match["scale"]:
            value *= {**_SCALES, "hundred": 100}[match["scale"].lower()]
    if match["more"]:
        value += Fraction(1, _PARTS[match["more"].lower()])
    return -value if match["minus"] or match["inner"] else value


def _words(text: str) -> int:
    """Return the value of number words that follow the grammar."""
    total = group = 0
    for word in re.findall(r"[a-z]+", text.lower()):
        if word == "hundred":
            group *= 100
        elif word in _SCALES:
            total, group = total + group * _SCALES[word], 0
        elif word != "and":
            group += _VALUES[word]
    return total + group
