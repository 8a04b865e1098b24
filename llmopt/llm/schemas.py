"""JSON schemas in the forms that providers take, and the replies under them in the form of the request."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_VALUE = "answer"
_ARRAY = "candidates"


def single(schema: Mapping[str, Any], allowed: Sequence[str]) -> dict[str, Any]:
    """Return the schema of one reply: an object, because providers take nothing else at the top."""
    return trimmed(schema if _is_object(schema) else _object({_VALUE: schema}), allowed)


def array(schema: Mapping[str, Any], n: int, allowed: Sequence[str]) -> dict[str, Any]:
    """Return the schema of n replies in one."""
    return trimmed(_object({_ARRAY: {"type": "array", "items": schema, "minItems": n, "maxItems": n}}), allowed)


def read_single(text: str, schema: Mapping[str, Any]) -> str:
    """Return the reply in a text under :func:`single`; the text itself where it does not obey."""
    if _is_object(schema):
        return text
    try:
        return _text(json.loads(text)[_VALUE])
    except (ValueError, LookupError, TypeError):
        return text


def read_array(text: str) -> list[str]:
    """Return the replies in a text under :func:`array`; empty where it does not obey."""
    try:
        found = json.loads(text)[_ARRAY]
    except (ValueError, LookupError, TypeError):
        return []
    return [_text(value) for value in found] if isinstance(found, list) else []


def trimmed(schema: Mapping[str, Any], allowed: Sequence[str]) -> dict[str, Any]:
    """Return a schema with the keywords that a provider takes; what the others say becomes its description.

    Whoever reads the replies checks what the schema cannot say.
    """
    kept: dict[str, Any] = {}
    said = [str(schema["description"])] if "description" in schema else []
    for word, value in schema.items():
        if word == "properties":
            kept[word] = {name: trimmed(inner, allowed) for name, inner in value.items()}
        elif word == "items" and isinstance(value, Mapping):
            kept[word] = trimmed(value, allowed)
        elif word in ("anyOf", "oneOf"):
            kept["anyOf"] = [trimmed(inner, allowed) for inner in value]
        elif word in allowed:
            kept[word] = value
        elif word != "description":
            said.append(f"{word}: {json.dumps(value, default=dict)}")
    if said:
        kept["description"] = "; ".join(said)
    return kept


def _is_object(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") == "object"


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
