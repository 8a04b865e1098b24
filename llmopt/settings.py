"""Settings of problems, solvers and models: named arguments, checked against the signature that takes them."""

from __future__ import annotations

import difflib
import inspect
import math
import types
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from llmopt.errors import InvalidInput

T = TypeVar("T")

_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def build(factory: Callable[..., T], what: str, texts: Mapping[str, str], **given: Any) -> T:
    """Call a factory with settings that came as text, converted by the types its signature declares.

    Parameters
    ----------
    factory
        A class or function whose settings are annotated parameters.
    what
        How messages name it, such as ``problem regression``.
    texts
        Settings as text.
    given
        Arguments that are passed on as they are, where the factory takes them.

    Raises
    ------
    InvalidInput
        A setting is unknown, missing or not of its type; the factory's own checks raise it too.
    """
    parameters, hints = _declared(factory)
    legal = [name for name, p in parameters.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    given = {name: value for name, value in given.items() if name in legal}
    choosable = [name for name in legal if name not in given]
    values = {}
    for name, text in texts.items():
        if name not in choosable:
            raise InvalidInput(f"{what}: unknown setting {name!r}; {_suggest(name, choosable)}")
        default = parameters[name].default
        guess = str if default is None or default is inspect.Parameter.empty else type(default)
        values[name] = _convert(text, hints.get(name, guess), f"{what}: {name}")
    for name in choosable:
        if name not in values and parameters[name].default is inspect.Parameter.empty:
            raise InvalidInput(f"{what}: the setting {name} is missing; write {name}=VALUE")
    return factory(**given, **values)


def parameters_of(factory: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a class or function by their names."""
    return _declared(factory)[0]


@cache
def _declared(factory: Callable[..., Any]) -> tuple[Mapping[str, inspect.Parameter], Mapping[str, Any]]:
    # A benchmark builds the same few things thousands of times.
    hints = get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)
    return inspect.signature(factory).parameters, hints


def parse_pairs(pairs: Iterable[str], what: str) -> dict[str, str]:
    """Turn ``key=value`` words into a dict.

    Raises
    ------
    InvalidInput
        A word has no ``=``, or a key is there twice.
    """
    settings: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InvalidInput(f"{what}: {pair!r} is not of the form key=value")
        if name in settings:
            raise InvalidInput(f"{what}: {name} is given twice")
        settings[name] = value
    return settings


def check_whole(what: str, value: object, least: int) -> None:
    """Raise InvalidInput, which names what it is, where a value is no whole number of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidInput(f"{what} must be a whole number of at least {least}, not {value!r}")


def unknown_name(kind: str, name: str, legal: Iterable[str]) -> InvalidInput:
    """Return the error for a name that does not exist, with the nearest ones that do."""
    return InvalidInput(f"unknown {kind} {name!r}; {_suggest(name, sorted(legal))}")


def _suggest(name: str, legal: list[str]) -> str:
    if not legal:
        return "there are none to choose from"
    near = difflib.get_close_matches(name, legal, n=1)
    return (f"did you mean {near[0]!r}? " if near else "") + "legal: " + ", ".join(legal)


def _is_literal(hint: Any) -> bool:
    origin: Any = get_origin(hint)
    return origin is Literal


def _convert(text: str, hint: Any, what: str) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        options = get_args(hint)
        if type(None) in options and text.lower() == "none":
            return None
        # Numbers before words, words before text, since every text is a text.
        words = tuple(word for option in options if _is_literal(option) for word in get_args(option))
        # One list of words, so that an error names them all.
        choice = [Literal.__getitem__(words)] if words else []
        settable = [option for option in options if option in (bool, int, float)] + choice
        ordered = settable + [option for option in options if option in (str, Path)]
        if not ordered:
            raise InvalidInput(f"{what} cannot be set as text; use the Python interface")
        for option in ordered[:-1]:
            try:
                return _convert(text, option, what)
            except InvalidInput:
                continue
        return _convert(text, ordered[-1], what)
    if _is_literal(hint):
        if text not in get_args(hint):
            raise InvalidInput(f"{what}={text} is not legal; choose one of {', '.join(map(str, get_args(hint)))}")
        return text
    try:
        if hint is bool:
            return _WORDS[text.lower()]
        if hint is int:
            return int(text)
        if hint is float:
            number = float(text)
            if not math.isfinite(number):
                raise ValueError
            return number
    except (ValueError, KeyError):
        kind = {bool: "true or false", int: "a whole number", float: "a finite number"}[hint]
        raise InvalidInput(f"{what}={text} is not legal; give {kind}") from None
    if hint is Path:
        return Path(text)
    if hint is str:
        return text
    raise InvalidInput(f"{what} cannot be set as text; use the Python interface")
