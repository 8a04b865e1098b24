"""What an answer says: what went wrong, or what can be read in it. Answers of others are never trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from llmopt.llm.base import Reply
from llmopt.llm.keys import Key
from llmopt.llm.retry import Failure, retry_after

_AGAIN = (408, 409, 425, 429)
_REFUSED = (400, 413, 422)
_ADVICE = {
    401: "; check the key",
    403: "; the key may not use this model",
    404: "; check the model's name and the URL",
}
_MOVED = "; use the address that it has moved to"


def failure(error: Exception, key: Key) -> Failure:
    """Return what an error of an SDK means; the errors of both SDKs have the same form."""
    import httpx2

    status, cause = getattr(error, "status_code", None), error.__cause__
    if isinstance(status, int):
        return _refusal(error, status, key)
    if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout | httpx2.ProxyError):
        return Failure(key.scrub(f"it cannot be reached ({cause})"), again=True)
    if isinstance(cause, httpx2.TimeoutException):
        return Failure("it did not answer in time", again=True, lost=True)
    return Failure(key.scrub(f"the connection failed ({cause or error})"), again=True, lost=True)


def _refusal(error: Exception, status: int, key: Key) -> Failure:
    headers: Mapping[str, str] = getattr(getattr(error, "response", None), "headers", {})
    body = getattr(error, "body", None)
    said = key.scrub(_said(body)) or "no reason given"
    # A quota that is used up is reported like too many calls, but waiting does not help.
    spent = status == 429 and "insufficient_quota" in json.dumps(body, default=str)
    again = (status in _AGAIN or status >= 500) and not spent
    advice = _ADVICE.get(status, _MOVED if 300 <= status < 400 else "")
    return Failure(
        f"it answered {status} ({said}){advice}",
        again=again,
        after=retry_after(headers.get("retry-after")),
        refused=status in _REFUSED,
    )


def _said(body: Any) -> str:
    """Return the reason in the body of an error, in any of the usual forms."""
    if isinstance(body, dict):
        inner = body.get("error", body)
        return str(inner.get("message", "") if isinstance(inner, dict) else inner)
    return body if isinstance(body, str) else ""


def read_json(content: bytes) -> dict[str, Any]:
    """Return the JSON object of an answer.

    Raises
    ------
    Failure
        It is none; the work may have been done.
    """
    try:
        value = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Failure("its answer cannot be read", again=True, lost=True)
    return value


def count(fields: Any, name: str) -> int | None:
    """Return a number of tokens in an answer; None where there is none that is legal."""
    value = fields.get(name) if isinstance(fields, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def cut(reply: Reply, stops: Sequence[str]) -> Reply:
    """Return a reply up to the first stop text, because endpoints take few of them, or none."""
    ends = [end for stop in stops if (end := reply.text.find(stop)) >= 0]
    return replace(reply, text=reply.text[: min(ends)], finish_reason="stop") if ends else reply
