"""Requests as a log keeps them: their long texts once each, and the rest as settings."""

from __future__ import annotations

import json
import zlib
from typing import Any

from llmopt.llm.base import Request
from llmopt.runlog.texts import text_digest


def digest(request: Request) -> bytes:
    """Return what tells a request from another one; the number of replies does not."""
    return text_digest(_json([texts_of(request), settings_of(request)]))


def checksum_of(reply: tuple[Any, ...]) -> int:
    """Return a number that changes with any value of a reply's row."""
    return zlib.crc32(ascii(reply).encode())


def texts_of(request: Request) -> dict[str, str]:
    """Return the ``prompt`` (messages as JSON), and the ``grammar`` and the ``schema`` where there are."""
    texts = {"prompt": request.prompt if isinstance(request.prompt, str) else _messages(request)}
    constraint = request.constraint
    if constraint is not None and constraint.grammar is not None:
        texts["grammar"] = constraint.grammar
    if constraint is not None and constraint.schema is not None:
        # In its own order, which may matter to a decoder.
        texts["schema"] = json.dumps(constraint.schema, separators=(",", ":"), default=dict)
    return texts


def settings_of(request: Request) -> dict[str, Any]:
    """Return the rest of a request, as JSON has it; without the number of replies."""
    return {
        "chat": not isinstance(request.prompt, str),
        "constrained": request.constraint is not None,
        "max_tokens": request.max_tokens,
        "sampling": {name: float(value) for name, value in vars(request.sampling).items()},
        "stop": list(request.stop),
        "seed": request.seed,
    }


def settings_text(request: Request) -> str:
    """Return :func:`settings_of` as text."""
    return _json(settings_of(request))


def _messages(request: Request) -> str:
    assert not isinstance(request.prompt, str)
    return json.dumps([{"role": message.role, "content": message.content} for message in request.prompt])


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
