"""Random values of JSON schemas, as far as codecs write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy


def values(schema: Mapping[str, Any]) -> SearchStrategy[Any]:
    """Return a strategy for values that a schema allows: enums, numbers, texts, arrays of one kind, flat objects.

    Raises
    ------
    NotImplementedError
        The schema is of another kind.
    """
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    match schema.get("type"):
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case "number":
            bounds = schema.get("minimum"), schema.get("maximum")
            return st.floats(*bounds, allow_nan=False, allow_infinity=False)
        case "string" if "pattern" not in schema:
            letters = st.characters(exclude_categories=("Cc", "Cs", "Nd"))
            return st.text(letters, min_size=schema.get("minLength", 0), max_size=schema.get("maxLength"))
        case "array":
            items, unique = values(schema["items"]), bool(schema.get("uniqueItems"))
            return st.lists(items, min_size=schema.get("minItems", 0), max_size=schema.get("maxItems"), unique=unique)
        case "object":
            return st.fixed_dictionaries({name: values(part) for name, part in schema["properties"].items()})
    raise NotImplementedError(f"no values for {schema}")
