"""Models behind the OpenAI API, or a server that speaks it."""

from __future__ import annotations

import os
from typing import Any

from llmopt.llm import keys, schemas
from llmopt.llm.base import Reply, Request, Usage
from llmopt.llm.endpoint import Endpoint, Place, checked, lookup
from llmopt.llm.faults import count, cut, failure, read_json
from llmopt.llm.limits import Limits
from llmopt.llm.remote import Answer, RemoteLLM
from llmopt.llm.retry import Retries

_OFFICIAL = "https://api.openai.com/v1"
_SEEDS = 2**31

_PLAIN = Endpoint(sampling=("temperature", "top_p"), choices=128, seed=True, limit="max_completion_tokens")
_STRICT = Endpoint(
    sampling=("temperature", "top_p"), choices=128, seed=True, limit="max_completion_tokens", schema=True
)
# Without thoughts these take sampling parameters; they take no stop texts.
_SILENT = Endpoint(
    sampling=("temperature", "top_p"), choices=128, limit="max_completion_tokens", schema=True, stop=0, effort="none"
)
_THINKING = Endpoint(
    choices=128, limit="max_completion_tokens", schema=True, stop=0, effort="low", thinking_tokens=8192
)
# By prefix of the model's name; the longest counts. From the provider's documentation, November 2026.
_MODELS = {
    "gpt-3.5-turbo-instruct": Endpoint(
        chat=False, continuation=True, sampling=("temperature", "top_p"), choices=128, seed=True
    ),
    "gpt-3.5": _PLAIN,
    "gpt-4": _PLAIN,
    "gpt-4o": _STRICT,
    "gpt-4.1": _STRICT,
    "o1": _THINKING,
    "o3": _THINKING,
    "o4": _THINKING,
    "gpt-5": _THINKING,
    "gpt-5.1": _SILENT,
    "gpt-5.2": _SILENT,
    "gpt-5.4": _SILENT,
    "gpt-5.5": _SILENT,
    "gpt-5.6": _SILENT,
    "gpt-6-sol": _SILENT,
    "gpt-6-luna": _SILENT,
    "gpt-6": _THINKING,
}
# One reply per call: some servers ignore n, and some count the tokens of one reply only.
_COMPATIBLE = Endpoint(continuation=True, schema=True, seed=True, sampling=("temperature", "top_p"))
_KINDS = {
    "llama.cpp": Endpoint(
        continuation=True,
        schema=True,
        grammar="grammar",
        seed=True,
        sampling=("temperature", "top_p", "top_k", "min_p"),
    ),
    "vllm": Endpoint(
        continuation=True,
        schema=True,
        grammar="structured_outputs.grammar",
        seed=True,
        choices=128,
        sampling=("temperature", "top_p", "top_k", "min_p"),
    ),
    "ollama": _COMPATIBLE,
    "openrouter": Endpoint(schema=True, seed=True, sampling=("temperature", "top_p")),
}
# What strict schemas may hold; the rest is said in descriptions.
_WORDS = (
    *("type", "enum", "const", "required", "additionalProperties", "pattern"),
    *("minimum", "maximum", "multipleOf", "minItems", "maxItems"),
)
# The official client knows these by name; the rest goes into the body as it is.
_EXTRA = ("top_k", "min_p")


class OpenAILLM(RemoteLLM):
    """A model behind the OpenAI API: conversations by chat completions, raw text by completions.

    The key comes from ``OPENAI_API_KEY``, or from the file that ``OPENAI_API_KEY_FILE`` names; a server of one's own
    may do without. It is sent to the URL that is used, whichever that is.

    Parameters
    ----------
    model
        The model's name at the provider.
    url
        Base URL of another server that speaks the protocol, such as ``http://127.0.0.1:8080/v1``; default
        ``OPENAI_BASE_URL``, else OpenAI's own.
    kind
        The server's program where that is known (llama.cpp, vllm, ollama, openrouter).
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
        from openai import OpenAI

        from llmopt.llm.wire import client

        url = url or os.environ.get("OPENAI_BASE_URL") or None
        url = None if url is None else checked(url)
        own = url is None or url == _OFFICIAL
        place = Place(model, None if own else url, kind)
        unknown = _THINKING.stated({"effort": ""}) if own else _COMPATIBLE
        endpoint = lookup(_MODELS, model, kinds=_KINDS, kind=kind, unknown=unknown).stated(stated)
        key = keys.find("OPENAI_API_KEY", api_key, needed=own)
        arguments = {"model": model, "url": url, "kind": kind, "limits": limits, "retries": retries, **stated}
        super().__init__(f"openai:{place.spec}", endpoint, key, limits, retries, arguments)
        self._model = model
        self._client = OpenAI(
            api_key=key.reveal(),
            base_url=url or _OFFICIAL,
            max_retries=0,
            http_client=client(url or _OFFICIAL, self.limits.concurrency),
        )
        # The SDK loads much at the first use, which must not count as a call's time.
        self._chat: Any = self._client.chat.completions.with_raw_response.create
        self._complete_text: Any = self._client.completions.with_raw_response.create

    def close(self) -> None:
        super().close()
        self._client.close()

    def _size(self, request: Request) -> int:
        return self.endpoint.choices

    def _send(self, request: Request, first: int, n: int, seconds: float) -> Answer:
        from openai import OpenAIError

        body, extra = self._body(request, first, n)
        create = self._complete_text if isinstance(request.prompt, str) else self._chat
        try:
            content = create(**body, extra_body=extra, timeout=seconds).http_response.content
        except OpenAIError as error:
            failed = failure(error, self._key)
        else:
            return self._answer(read_json(content), request)
        raise failed

    def _body(self, request: Request, first: int, n: int) -> tuple[dict[str, Any], dict[str, Any]]:
        endpoint, constraint = self.endpoint, request.constraint
        body: dict[str, Any] = {"model": self._model}
        extra: dict[str, Any] = {}
        if isinstance(request.prompt, str):
            body |= {"prompt": request.prompt, "max_tokens": self._limit(request, n)}
        else:
            turns = [{"role": message.role, "content": message.content} for message in request.prompt]
            body |= {"messages": turns, endpoint.limit: self._limit(request, n)}
            if endpoint.effort:
                body["reasoning_effort"] = endpoint.effort
        for name in endpoint.sampling:
            (extra if name in _EXTRA else body)[name] = getattr(request.sampling, name)
        if n > 1:
            body["n"] = n
        if endpoint.seed and request.seed is not None:
            body["seed"] = (request.seed + first) % _SEEDS
        if request.stop and endpoint.stop:
            body["stop"] = list(request.stop[: endpoint.stop])
        if constraint is not None and constraint.grammar is not None and endpoint.grammar:
            outer, _, inner = endpoint.grammar.partition(".")
            extra[outer] = {inner: constraint.grammar} if inner else constraint.grammar
        elif schema := self._schema(request):
            schema = schemas.single(schema, _WORDS)
            form = {"name": "reply", "strict": True, "schema": schema}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return body, extra

    def _schema(self, request: Request) -> dict[str, Any] | None:
        """Return the schema that a call is sent with; raw text takes none."""
        if request.constraint is None or request.constraint.schema is None or isinstance(request.prompt, str):
            return None
        grammar = self.endpoint.grammar and request.constraint.grammar is not None
        return dict(request.constraint.schema) if self.endpoint.schema and not grammar else None

    def _answer(self, body: dict[str, Any], request: Request) -> Answer:
        schema = self._schema(request)
        replies = []
        choices = body.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            reply = _reply(choice)
            if reply is not None:
                text = reply.text if schema is None else schemas.read_single(reply.text, schema)
                replies.append(cut(Reply(text, reply.finish_reason), request.stop))
        return Answer(tuple(replies), *_usage(body.get("usage")))


def from_spec(rest: str) -> OpenAILLM:
    """Return the model of ``openai:MODEL``, ``openai:MODEL@URL`` or ``openai:MODEL@URL#KIND``."""
    place = Place.parse(rest, "openai")
    return OpenAILLM(place.model, place.url, kind=place.kind)


def _reply(choice: Any) -> Reply | None:
    if not isinstance(choice, dict):
        return None
    holder = choice.get("message", choice)
    text = holder.get("content", holder.get("text")) if isinstance(holder, dict) else None
    if text is None and isinstance(holder, dict) and "content" in holder:
        text = ""  # a refusal, or nothing but thoughts
    if not isinstance(text, str):
        return None
    return Reply(text, "length" if choice.get("finish_reason") == "length" else "stop")


def _usage(fields: Any) -> tuple[Usage | None, int]:
    prompt, completion = count(fields, "prompt_tokens"), count(fields, "completion_tokens")
    if prompt is None or completion is None:
        return None, 0
    details = fields.get("prompt_tokens_details")
    cached = min(prompt, count(details, "cached_tokens") or 0)
    written = min(prompt - cached, count(details, "cache_write_tokens") or 0)
    return Usage(1, prompt, cached, completion), written
