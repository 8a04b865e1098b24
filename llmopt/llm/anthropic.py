"""Models behind the Anthropic API, or a server that speaks it."""

from __future__ import annotations

import os
from typing import Any

from llmopt.llm import keys, schemas
from llmopt.llm.base import Reply, Request, Usage
from llmopt.llm.endpoint import Endpoint, Place, checked, lookup
from llmopt.llm.faults import count, cut, failure, read_json
from llmopt.llm.ledger import Bound
from llmopt.llm.limits import Limits
from llmopt.llm.metered import prompt_bound
from llmopt.llm.remote import Answer, RemoteLLM
from llmopt.llm.retry import Retries

_OFFICIAL = "https://api.anthropic.com"
# Tokens of the JSON around one candidate of an array.
_WRAPPING = 16
_WISH = "Give {n} candidates that differ from each other instead of one, in the list of the JSON object asked for."

_THINKING = Endpoint(schema=True, array=True, effort="low", thinking_tokens=8192, cache_from=512)
_SAMPLED = Endpoint(schema=True, sampling=("temperature",), cache_from=4096)
# By prefix of the model's name; the longest counts. From the provider's documentation, November 2026.
_MODELS = {
    "claude-fable": _THINKING,
    "claude-mythos": _THINKING,
    "claude-opus-5-5": _THINKING,
    "claude-opus-5": Endpoint(schema=True, array=True, thinking="disabled", cache_from=512),
    "claude-sonnet-5-5": Endpoint(schema=True, array=True, thinking="between_tools", cache_from=512),
    "claude-sonnet-5": Endpoint(schema=True, array=True, thinking="disabled", cache_from=1024),
    "claude-haiku-5-5": Endpoint(schema=True, array=True, thinking="disabled", cache_from=512),
    "claude-opus-4-8": Endpoint(schema=True, array=True, cache_from=1024),
    "claude-opus-4-7": Endpoint(schema=True, array=True, cache_from=2048),
    "claude-opus-4-6": _SAMPLED,
    "claude-opus-4-5": _SAMPLED,
    "claude-haiku-4-5": _SAMPLED,
    "claude-sonnet-4": Endpoint(schema=True, sampling=("temperature",), cache_from=1024),
}
_COMPATIBLE = Endpoint(sampling=("temperature", "top_p"))
_KINDS = {"llama.cpp": Endpoint(sampling=("temperature", "top_p", "top_k", "min_p"))}
_WORDS = ("type", "enum", "const", "required", "additionalProperties")


class AnthropicLLM(RemoteLLM):
    """A model behind the Anthropic API.

    Several replies are as many calls side by side; a model that takes no sampling parameters would give nearly the
    same reply to each, and is asked for one JSON array of different candidates where the request has a schema.

    What stays the same from step to step (the system prompt, and the leading part of a message that says so) is marked
    for the provider's cache where it can be long enough.

    The key comes from ``ANTHROPIC_API_KEY``, or from the file that ``ANTHROPIC_API_KEY_FILE`` names; a server of
    one's own may do without. It is sent to the URL that is used, whichever that is.

    Parameters
    ----------
    model
        The model's name at the provider.
    url
        Base URL of another server that speaks the protocol; default ``ANTHROPIC_BASE_URL``, else Anthropic's own.
    kind
        The server's program where that is known (llama.cpp).
    api_key
        In place of the environment's.
    limits
        Shared by everything that is given the same object.
    retries
        What is tried again, and deadlines.
    stated
        Fields of :class:`llmopt.llm.endpoint.Endpoint` that differ from the table's.

    Raises
    ------
    InvalidInput
        There is no key, or the URL, the kind or a field is not legal.
    """

    def __init__(
        self,
        model: str,
        url: str | None = None,
        *,
        kind: str = "",
        api_key: str | None = None,
        limits: Limits | None = None,
        retries: Retries | None = None,
        **stated: Any,
    ) -> None:
        from anthropic import Anthropic

        from llmopt.llm.wire import client

        url = url or os.environ.get("ANTHROPIC_BASE_URL") or None
        url = None if url is None else checked(url).removesuffix("/v1")
        own = url is None or url == _OFFICIAL
        place = Place(model, None if own else url, kind)
        unknown = _THINKING.stated({"effort": ""}) if own else _COMPATIBLE
        endpoint = lookup(_MODELS, model, kinds=_KINDS, kind=kind, unknown=unknown).stated(stated)
        key = keys.find("ANTHROPIC_API_KEY", api_key, needed=own)
        arguments = {"model": model, "url": url, "kind": kind, "limits": limits, "retries": retries, **stated}
        super().__init__(f"anthropic:{place.spec}", endpoint, key, limits, retries, arguments)
        self._model = model
        self._client = Anthropic(
            api_key=key.reveal(),
            base_url=url or _OFFICIAL,
            max_retries=0,
            http_client=client(url or _OFFICIAL, self.limits.concurrency),
        )
        # The SDK loads much at the first use, which must not count as a call's time.
        self._create: Any = self._client.messages.with_raw_response.create

    def close(self) -> None:
        super().close()
        self._client.close()

    def _size(self, request: Request) -> int:
        return request.n if self.endpoint.array and self._schema(request) is not None else 1

    def _limit(self, request: Request, n: int) -> int:
        each = request.max_tokens if n == 1 else request.max_tokens + _WRAPPING
        return n * each + self.endpoint.thinking_tokens

    def _bound(self, request: Request, n: int) -> Bound:
        words = len(_WISH) if n > 1 else 0
        return Bound(prompt_bound(request) + words, self._limit(request, n))

    def _send(self, request: Request, first: int, n: int, seconds: float) -> Answer:
        from anthropic import AnthropicError

        body, extra = self._body(request, n)
        try:
            content = self._create(**body, extra_body=extra, timeout=seconds).http_response.content
        except AnthropicError as error:
            failed = failure(error, self._key)
        else:
            return self._answer(read_json(content), request, n)
        raise failed

    def _body(self, request: Request, n: int) -> tuple[dict[str, Any], dict[str, Any]]:
        endpoint = self.endpoint
        system, turns = self._turns(request, n)
        body: dict[str, Any] = {"model": self._model, "max_tokens": self._limit(request, n), "messages": turns}
        if system:
            body["system"] = system
        # Texts of white space only are refused.
        stops = [stop for stop in request.stop if stop.strip()][: endpoint.stop]
        if stops:
            body["stop_sequences"] = stops
        if endpoint.thinking:
            body["thinking"] = {"type": endpoint.thinking}
        output: dict[str, Any] = {"effort": endpoint.effort} if endpoint.effort else {}
        schema = self._schema(request)
        if schema is not None:
            form = schemas.single(schema, _WORDS) if n == 1 else schemas.array(schema, n, _WORDS)
            output["format"] = {"type": "json_schema", "schema": form}
        if output:
            body["output_config"] = output
        # The SDK has no arguments for these any more; models that take them still read them.
        return body, {name: getattr(request.sampling, name) for name in endpoint.sampling}

    def _turns(self, request: Request, n: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the system prompt and the conversation as blocks of text."""
        assert not isinstance(request.prompt, str)
        system: list[dict[str, Any]] = []
        turns: list[dict[str, Any]] = []
        # Blocks that come again in the next request: a mark covers everything before it.
        stable: list[dict[str, Any]] = []
        size = 0
        for message in request.prompt:
            # A turn as a whole changes from step to step, unless it says otherwise; a system prompt does not.
            end = len(message.content) if message.role == "system" else message.stable
            blocks = [_block(text) for text in (message.content[:end], message.content[end:]) if text]
            if end:
                size += len(message.content[:end].encode())
                stable.append(blocks[0])
            if message.role == "system":
                system += blocks
            else:
                turns.append({"role": message.role, "content": blocks or [_block("")]})
        if stable and self.endpoint.cache_from and size >= self.endpoint.cache_from:
            stable[-1]["cache_control"] = {"type": "ephemeral"}
        if n > 1 and turns:
            turns[-1]["content"].append(_block(_WISH.format(n=n)))
        return system, turns

    def _schema(self, request: Request) -> dict[str, Any] | None:
        if request.constraint is None or request.constraint.schema is None or not self.endpoint.schema:
            return None
        return dict(request.constraint.schema)

    def _answer(self, body: dict[str, Any], request: Request, n: int) -> Answer:
        usage, written = _usage(body.get("usage"))
        blocks = body.get("content")
        if not isinstance(blocks, list):
            return Answer((), usage, written)
        texts = [block.get("text") for block in blocks if isinstance(block, dict) and block.get("type") == "text"]
        text = "".join(text for text in texts if isinstance(text, str))
        whole = body.get("stop_reason") not in ("max_tokens", "model_context_window_exceeded")
        schema = self._schema(request)
        if n == 1:
            if not blocks and whole:
                return Answer((), usage, written)
            text = text if schema is None else schemas.read_single(text, schema)
            return Answer((cut(Reply(text, "stop" if whole else "length"), request.stop),), usage, written)
        found = tuple(Reply(candidate) for candidate in schemas.read_array(text))
        if not found and not whole:
            found = (Reply("", "length"),) * n
        return Answer(found, usage, written)


def from_spec(rest: str) -> AnthropicLLM:
    """Return the model of ``anthropic:MODEL``, ``anthropic:MODEL@URL`` or ``anthropic:MODEL@URL#KIND``."""
    place = Place.parse(rest, "anthropic")
    return AnthropicLLM(place.model, place.url, kind=place.kind)


def _block(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _usage(fields: Any) -> tuple[Usage | None, int]:
    fresh, completion = count(fields, "input_tokens"), count(fields, "output_tokens")
    if fresh is None or completion is None:
        return None, 0
    cached, written = count(fields, "cache_read_input_tokens") or 0, count(fields, "cache_creation_input_tokens") or 0
    return Usage(1, fresh + cached + written, cached, completion), written
