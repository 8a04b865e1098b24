"""Equal parts of what many runs have in common, held once in memory."""

from __future__ import annotations

from typing import Any

_MOST = 50_000


class Shared:
    """Returns what is equal to a value made of JSON's types, and the same object for equal values.

    Nobody may change what is returned. Of the values so far, as many are remembered as little memory allows.

    Examples
    --------
    >>> shared = Shared()
    >>> first, second = shared({"a": [1, 2]}), shared({"b": [1, 2]})
    >>> first["a"] is second["b"], first
    (True, {'a': [1, 2]})
    """

    def __init__(self) -> None:
        # By type and content; what is in a container is told by where it is, and the container keeps it there.
        self._known: dict[tuple[Any, ...], Any] = {}

    def __call__(self, value: Any) -> Any:
        if len(self._known) > _MOST:
            self._known.clear()
        return self._of(value)

    def _of(self, value: Any) -> Any:
        if isinstance(value, dict):
            made = {self._of(name): self._of(item) for name, item in value.items()}
            return self._known.setdefault((dict, *((name, id(item)) for name, item in made.items())), made)
        if isinstance(value, list):
            items = [self._of(item) for item in value]
            return self._known.setdefault((list, *map(id, items)), items)
        # 1, 1.0 and True are equal, and so are 0.0 and -0.0; their texts are not.
        return self._known.setdefault((type(value), repr(value)), value)
