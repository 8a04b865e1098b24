"""Equal parts of what many runs have in common, held once in memory."""

from __future__ import annotations

from typing import Any


class Shared:
    """Returns what is equal to a value made of JSON's types, and the same object for equal values.

    Nobody may change what is returned.

    Examples
    --------
    >>> shared = Shared()
    >>> first, second = shared({"a": [1, 2]}), shared({"b": [1, 2]})
    >>> first["a"] is second["b"], first
    (True, {'a': [1, 2]})
    """

    def __init__(self) -> None:
        # By type and content; what is in a container is told by where it is, and stays there as long as this object.
        self._known: dict[tuple[Any, ...], Any] = {}

    def __call__(self, value: Any) -> Any:
        if isinstance(value, dict):
            made = {self(name): self(item) for name, item in value.items()}
            return self._known.setdefault((dict, *((name, id(item)) for name, item in made.items())), made)
        if isinstance(value, list):
            items = [self(item) for item in value]
            return self._known.setdefault((list, *map(id, items)), items)
        # 1, 1.0 and True are equal, and so are 0.0 and -0.0; their texts are not.
        return self._known.setdefault((type(value), repr(value)), value)
