"""Spaces as JSON, so that a file can say what its solutions are members of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from llmopt.errors import InvalidInput
from llmopt.space.base import Space
from llmopt.space.permutation import Permutation
from llmopt.space.text import Text
from llmopt.space.variables import Categorical, Float, Int, Variable
from llmopt.space.vector import Vector

_VARIABLES: dict[str, type[Any]] = {"Float": Float, "Int": Int, "Categorical": Categorical}
_SPACES: dict[str, type[Any]] = {"Permutation": Permutation, "Text": Text}


def to_plain(space: Space[Any]) -> dict[str, Any]:
    """Return a space as JSON has it; of a space that this package does not know, its name alone."""
    if type(space) is Vector:
        return {
            "type": "Vector",
            "variables": {name: _fields(variable) for name, variable in space.variables.items()},
        }
    if type(space) in _SPACES.values():
        return _fields(space)
    return {"type": f"{type(space).__module__}.{type(space).__qualname__}", "text": repr(space)}


def from_plain(value: Mapping[str, Any]) -> Space[Any]:
    """Return the space that :func:`to_plain` wrote.

    Raises
    ------
    InvalidInput
        It is none, or a space of another package.
    """
    try:
        if value["type"] == "Vector":
            return Vector({name: _variable(plain) for name, plain in value["variables"].items()})
        settings = {name: setting for name, setting in value.items() if name != "type"}
        space: Space[Any] = _SPACES[value["type"]](**settings)
        return space
    except (KeyError, TypeError, AttributeError):
        raise InvalidInput(f"this is not a space that llmopt can rebuild: {str(value)[:200]}") from None


def _fields(part: Any) -> dict[str, Any]:
    settings = {field.name: getattr(part, field.name) for field in fields(part)}
    if isinstance(part, Categorical):
        settings["choices"] = list(part.choices)
    return {"type": type(part).__name__, **settings}


def _variable(plain: Mapping[str, Any]) -> Variable:
    settings = {name: setting for name, setting in plain.items() if name != "type"}
    if plain["type"] == "Categorical":
        return Categorical(*settings["choices"])
    variable: Variable = _VARIABLES[plain["type"]](**settings)
    return variable
