"""The text of one variable: which texts there are, and what each of them means.

Numbers are shown on a lattice of fixed decimals (of fixed significant digits on a log scale), fine enough for
``resolution`` points across the range; the history keeps the exact value.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from llmopt.errors import DecodeError
from llmopt.opro.codec import cleaned
from llmopt.opro.grammar import DIGIT, Language, Range, fixed_decimal, literal, whole_numbers
from llmopt.space import Categorical, Float, Int, Variable

_LISTED = 4_096
# No word ends in a mark that may end a sentence.
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_.\-]*[A-Za-z0-9_\-]")
NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,4})?")


@dataclass(frozen=True)
class TextForm:
    """How the values of one variable are written.

    Parameters
    ----------
    language
        The texts that a grammar allows.
    encode
        From a user's value to a text of the language.
    decode
        From a text, of the language or in another notation, to a user's value; raises DecodeError.
    schema
        The JSON schema of a value.
    longest
        Characters of the longest text.
    """

    language: Language
    encode: Callable[[Any], str]
    decode: Callable[[str], Any]
    schema: dict[str, Any]

    @property
    def longest(self) -> int:
        return max(len(r.template) for r in self.language)


def text_form(variable: Variable, resolution: int) -> TextForm:
    """Return the text form of a variable; see :class:`TextForm`."""
    if isinstance(variable, Categorical):
        return _choices(variable)
    if isinstance(variable, Int):
        return _whole(variable)
    if isinstance(variable, Float):
        if variable.size is not None and variable.size <= _LISTED:
            return _listed(variable)
        return _logarithmic(variable, resolution) if variable.log else _decimal(variable, resolution)
    raise TypeError(f"no text form for {variable!r}")


def _choices(variable: Categorical) -> TextForm:
    plain = all(isinstance(c, str) and _PLAIN_WORD.fullmatch(c) for c in variable.choices)
    texts = [str(c) if plain else json.dumps(c, ensure_ascii=False) for c in variable.choices]
    values = dict(zip(texts, variable.choices, strict=True))
    # Of a reply, the spaces and hyphens of typesetting were made plain.
    folded = {cleaned(text).strip('"').casefold(): text for text in texts}

    def encode(value: Any) -> str:
        return texts[variable.store(value)]

    def decode(text: str) -> Any:
        # Exact first, then forgiving on case and quotes where that is not ambiguous.
        if text in values:
            return values[text]
        key = text.strip("\"'").casefold()
        if len(folded) == len(texts) and key in folded:
            return values[folded[key]]
        raise DecodeError("not one of the choices")

    return TextForm(frozenset(map(literal, texts)), encode, decode, {"enum": list(variable.choices)})


def _whole(variable: Int) -> TextForm:
    if variable.step == 1 or variable.size > _LISTED:
        language = whole_numbers(int(variable.low), int(variable.high))
    else:
        language = frozenset(literal(str(v)) for v in range(variable.low, variable.high + 1, variable.step))

    def decode(text: str) -> int:
        number = _number(text)
        if number != math.floor(number):
            raise DecodeError("not a whole number")
        return int(_snapped(variable, number))

    schema: dict[str, Any] = {"type": "integer", "minimum": int(variable.low), "maximum": int(variable.high)}
    return TextForm(language, lambda value: str(int(value)), decode, schema)


def _listed(variable: Float) -> TextForm:
    assert variable.size is not None
    values = [float(v) for v in variable.at(np.arange(variable.size))]
    # 0.3 rather than 0.30000000000000004: decode goes to the nearest grid point anyway.
    short = [f"{v:.12g}" for v in values]
    texts = short if len(set(short)) == len(short) else [repr(v) for v in values]

    def encode(value: Any) -> str:
        return texts[int(variable.index(np.array([value]))[0])]

    # The short text of an end of the range may read as a number just outside.
    meant = dict(zip(texts, values, strict=True))

    def decode(text: str) -> float:
        return meant[text] if text in meant else float(_snapped(variable, _number(text)))

    return TextForm(
        language=frozenset(map(literal, texts)),
        encode=encode,
        decode=decode,
        schema=_bounds(variable),
    )


def _decimal(variable: Float, resolution: int) -> TextForm:
    span = variable.high - variable.low if variable.step is None else variable.step * resolution / 10
    decimals = max(0, math.ceil(math.log10(resolution) - math.log10(span)))
    unit = 10**decimals
    first, last = _inside(variable, decimals)

    def encode(value: Any) -> str:
        return fixed_decimal(min(max(round(Fraction(float(value)) * unit), first), last), decimals)

    def decode(text: str) -> float:
        return float(_snapped(variable, _number(text)))

    return TextForm(whole_numbers(first, last, decimals), encode, decode, _bounds(variable))


def _logarithmic(variable: Float, resolution: int) -> TextForm:
    digits = 3
    mantissas = _mantissas(variable, digits)
    while sum(most - least + 1 for _, least, most in mantissas) < resolution / 10:
        digits += 1
        mantissas = _mantissas(variable, digits)
    ranges = set()
    for exponent, least, most in mantissas:
        tail = f"e{exponent:+03d}"
        ends = [f"{str(m)[0]}.{str(m)[1:]}{tail}" for m in (least, most)]
        ranges.add(Range(f"{DIGIT}.{DIGIT * (digits - 1)}{tail}", *ends))

    def encode(value: Any) -> str:
        number = float(f"{float(value):.{digits - 1}e}")
        if not variable.low <= number <= variable.high:
            # Rounding stepped over an end; the lattice point next to that end is the nearest inside.
            exponent, least, most = mantissas[0 if number < variable.low else -1]
            number = float(f"{least if number < variable.low else most}e{exponent - digits + 1}")
        return f"{number:.{digits - 1}e}"

    def decode(text: str) -> float:
        return float(_snapped(variable, _number(text)))

    return TextForm(frozenset(ranges), encode, decode, _bounds(variable))


def _mantissas(variable: Float, digits: int) -> list[tuple[int, int, int]]:
    """Return (exponent, least, most) of the whole mantissas with ``digits`` digits inside the range."""
    found = []
    for exponent in range(Decimal(variable.low).adjusted(), Decimal(variable.high).adjusted() + 1):
        shift = digits - 1 - exponent
        first, last = _inside(variable, shift)
        least, most = max(first, 10 ** (digits - 1)), min(last, 10**digits - 1)
        if least <= most:
            found.append((exponent, least, most))
    return found


def _inside(variable: Float, shift: int) -> tuple[int, int]:
    """Return the first and last whole m for which the text of m / 10**shift reads as a number in bounds."""
    first = math.floor(Decimal(variable.low).scaleb(shift)) - 1
    last = math.ceil(Decimal(variable.high).scaleb(shift)) + 1
    # What counts is what float() makes of the text, so that a bound such as 0.1 is itself on the lattice.
    while float(f"{first}e{-shift}") < variable.low:
        first += 1
    while float(f"{last}e{-shift}") > variable.high:
        last -= 1
    return first, last


def _number(text: str) -> float:
    if not NUMBER.fullmatch(text):
        raise DecodeError("not a number")
    number = float(text)
    if not math.isfinite(number):
        raise DecodeError("not a finite number")
    return number


def _snapped(variable: Float | Int, number: float) -> Any:
    """Return the legal value at a number inside the bounds; numbers beside a grid go to the nearest point."""
    if not variable.low <= number <= variable.high:
        raise DecodeError(f"outside {variable.low} .. {variable.high}")
    if variable.size is None or (isinstance(variable, Int) and variable.step == 1):
        return number
    return variable.from_box(np.array([number]))[0]


def _bounds(variable: Float) -> dict[str, Any]:
    return {"type": "number", "minimum": float(variable.low), "maximum": float(variable.high)}
