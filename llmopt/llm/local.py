"""A model in a GGUF file, run on this machine by llama.cpp."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from llmopt.errors import InvalidInput, ModelError
from llmopt.llm import catalog, gguf
from llmopt.llm.base import (
    LLM,
    Capabilities,
    Constraint,
    Message,
    ModelInfo,
    Reply,
    Request,
    Response,
    Sampling,
    Take,
    Usage,
)
from llmopt.llm.client import Client, Overflow
from llmopt.llm.server import Server, require_runtime

# llama.cpp takes seeds modulo 2**32 and draws a random one for 2**32 - 1; below 2**31 there is room for + n.
_SEEDS = 2**31
_FIELDS = ["content", "stop_type", "tokens_predicted", "tokens_evaluated", "timings/cache_n"]
_LOGPROBS = "completion_probabilities"


class LocalLLM(LLM):
    """A GGUF model behind a llama.cpp server that this object starts and owns.

    Threads and processes share the one server: the object may be used from any thread, and pickled to worker
    processes as long as the original is open (closing a copy ends nothing; a pickle holds the server's key).
    Independent requests run at the same time; the ``n`` replies of a request share one reading of its prompt.

    Usage counts a prompt once per call to the server, which gives up to ``n_parallel`` replies, or as many as
    fit in the context; ``calls`` says how many calls there were. Completion tokens are those of all replies.

    Replies are not reproducible from their seeds alone, because llama.cpp computes slightly different numbers
    for a prompt of which it still knows a part.

    Parameters
    ----------
    path
        A GGUF file.
    n_parallel
        Replies that are generated at the same time.
    context
        Tokens that prompt and replies of everything in progress may have together; lowered to what the model
        was trained with for a single request.
    threads
        CPU threads that compute; default all that this process may use.
    timeout
        Seconds after which a call to the server counts as failed.
    spec
        What the model is called in reports; default ``local:PATH``.
    details
        More that identifies the model in reports.

    Raises
    ------
    MissingExtra
        xllamacpp is not installed.
    InvalidInput
        The file is missing, is no GGUF file, or llama.cpp cannot load it; a number is below 1.
    ModelError
        llama.cpp ended before it was ready.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        n_parallel: int = 8,
        context: int = 8192,
        threads: int | None = None,
        timeout: float = 600.0,
        spec: str | None = None,
        details: Mapping[str, str] | None = None,
    ) -> None:
        path = Path(path)
        threads = _usable_cores() if threads is None else threads
        for name, value in (("n_parallel", n_parallel), ("context", context), ("threads", threads)):
            if value < 1:
                raise InvalidInput(f"{name} must be at least 1, not {value}")
        require_runtime()
        gguf.check(path)
        self._server: Server | None = Server(path, n_parallel=n_parallel, context=context, threads=threads)
        self._client = Client(self._server.address, timeout)
        self._context = self._server.context
        self._n_parallel = n_parallel
        self._info = ModelInfo(
            spec or f"local:{path}",
            {
                "file": path.name,
                "bytes": str(path.stat().st_size),
                "xllamacpp": version("xllamacpp"),
                **(details or {}),
            },
        )
        self._chat = gguf.has_chat_template(path)

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            chat=self._chat,
            continuation=True,
            grammar=True,
            schema=True,
            n=True,
            seed=True,
            logprobs=True,
            context=self._context,
        )

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        return self.deliver(requests, lambda i, first, part: None)

    def deliver(self, requests: Sequence[Request], take: Take) -> list[Response]:
        for request in requests:
            self._check(request)
        groups = _alike(requests, self._n_parallel)

        def answers(group: range) -> list[Response]:
            return [self._answer(i, requests[i], take) for i in group]

        if len(groups) <= 1:
            return [response for group in groups for response in answers(group)]
        with ThreadPoolExecutor(min(len(groups), self._n_parallel)) as pool:
            return [response for found in pool.map(answers, groups) for response in found]

    def count_tokens(self, prompt: str | tuple[Message, ...]) -> int:
        return len(self._tokens(self._as_text(prompt)))

    def close(self) -> None:
        """End the server, if this object started it; requests that are running elsewhere fail."""
        if self._server is not None:
            self._server.close()
        self._client.close()

    def _check(self, request: Request) -> None:
        for name in ("n", "max_tokens"):
            if getattr(request, name) < 1:
                raise InvalidInput(f"{name} must be at least 1, not {getattr(request, name)}")
        if request.given == "":
            raise InvalidInput("a given reply must not be empty")

    def _answer(self, i: int, request: Request, take: Take) -> Response:
        text = self._as_text(request.prompt)
        prompt = self._tokens(text)
        if request.given is not None:
            request = self._forced(request, request.given, text, prompt)
        room = self._context - len(prompt)
        if room < request.max_tokens:
            raise ModelError(
                f"a prompt of {len(prompt)} tokens and a reply of up to {request.max_tokens} do not fit in "
                f"the context of {self._context} tokens; show less history, or give LocalLLM a larger context"
            )
        size = min(self._n_parallel, room // request.max_tokens)
        replies: list[Reply] = []
        usage = Usage()
        while len(replies) < request.n:
            choices = self._complete(prompt, request, len(replies), min(size, request.n - len(replies)))
            part = Response(tuple(_reply(choice, request) for choice in choices), _usage(choices))
            take(i, len(replies), part)
            replies += part.replies
            usage = usage.plus(part.usage)
        return Response(tuple(replies), usage)

    def _complete(self, prompt: list[int], request: Request, first: int, n: int) -> list[dict[str, Any]]:
        body: dict[str, Any] = {
            "prompt": prompt,
            "n_cmpl": n,
            "n_predict": request.max_tokens,
            "temperature": request.sampling.temperature,
            "top_p": request.sampling.top_p,
            "top_k": request.sampling.top_k,
            "min_p": request.sampling.min_p,
            "stop": request.stop,
            "cache_prompt": True,
            # Otherwise every choice repeats the prompt and the grammar.
            "response_fields": _FIELDS,
        }
        if request.given is not None:
            # Those of the model before any sampler, the grammar's too, has its say.
            body |= {"n_probs": 1, "post_sampling_probs": False, "response_fields": [*_FIELDS, _LOGPROBS]}
        if request.seed is not None:
            body["seed"] = (request.seed + first) % _SEEDS
        if request.constraint is not None and request.constraint.grammar is not None:
            body["grammar"] = request.constraint.grammar
        elif request.constraint is not None and request.constraint.schema is not None:
            body["json_schema"] = request.constraint.schema
        try:
            answer = self._post("/completion", body, tokens=len(prompt) + n * request.max_tokens)
        except Overflow:
            answer = self._post("/completion", body, tokens=self._context)
        choices: list[dict[str, Any]] = answer if isinstance(answer, list) else [answer]
        if len(choices) != n:
            raise ModelError(f"the local model gave {len(choices)} replies where {n} were asked for")
        return choices

    def _forced(self, request: Request, given: str, text: str, prompt: list[int]) -> Request:
        """Return a request whose one reply is the given one, in the tokens that follow the prompt's.

        Under a grammar of its characters the greedy reply would be spelled in tokens that the model seldom writes.
        """
        whole = self._pieces(text + given, special=True)
        tokens = whole[len(prompt) :]
        if [token["id"] for token in whole[: len(prompt)]] != prompt:
            # The prompt's last token would reach into the reply.
            tokens = self._pieces(given, special=False)
        if len(tokens) > request.max_tokens:
            raise InvalidInput(f"the given reply has {len(tokens)} tokens, more than max_tokens={request.max_tokens}")
        if any(not isinstance(token["piece"], str) for token in tokens):
            raise InvalidInput(
                f"{self._info.spec} cannot say how likely {given[:60]!r} is, because it writes a character of it in "
                "several tokens; give another text"
            )
        grammar = "root ::= " + " ".join(f"<[{token['id']}]>" for token in tokens)
        return replace(
            request, max_tokens=len(tokens), constraint=Constraint(grammar), sampling=Sampling(temperature=0.0), stop=()
        )

    def _tokens(self, text: str) -> list[int]:
        tokens: list[int] = self._post("/tokenize", {"content": text, "add_special": True})["tokens"]
        return tokens

    def _pieces(self, text: str, *, special: bool) -> list[dict[str, Any]]:
        body = {"content": text, "add_special": special, "with_pieces": True}
        tokens: list[dict[str, Any]] = self._post("/tokenize", body)["tokens"]
        return tokens

    def _as_text(self, messages: str | tuple[Message, ...]) -> str:
        if isinstance(messages, str):
            return messages
        if not self._chat:
            raise InvalidInput(
                f"{self._info.spec} is a base model (its file holds no chat template) and cannot hold a "
                "conversation; use a serializer for continuation, or an instruct model"
            )
        turns = [{"role": message.role, "content": message.content} for message in messages]
        text: str = self._post("/apply-template", {"messages": turns})["prompt"]
        return text

    def _post(self, endpoint: str, body: Mapping[str, Any], tokens: int = 0) -> Any:
        try:
            return self._client.post(endpoint, body, tokens=tokens)
        except ConnectionError as error:
            fate = None if self._server is None else self._server.fate()
            raise ModelError(fate or str(error)) from None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_server": None}


def from_spec(rest: str) -> LocalLLM:
    """Return the model of ``local`` (empty), ``local:PATH.gguf`` or ``local:CATALOG-NAME``.

    Raises
    ------
    InvalidInput, MissingExtra
        As :func:`llmopt.llm.catalog.locate` and :class:`LocalLLM` do.
    """
    require_runtime()
    if rest.endswith(".gguf") or os.sep in rest:
        gguf.check(Path(rest))
        return LocalLLM(rest, details={"sha256": gguf.checksum(Path(rest))})
    weights = catalog.find(rest or catalog.DEFAULT)
    return LocalLLM(
        catalog.locate(weights),
        spec=f"local:{weights.name}",
        details={"sha256": weights.sha256, "licence": weights.licence},
    )


def _alike(requests: Sequence[Request], parallel: int) -> list[range]:
    """Divide requests into groups that are answered one after another, so that what neighbours begin with is read once;
    small enough that there are groups for all that work at the same time."""
    largest = -(-len(requests) // parallel)
    groups: list[range] = []
    beginning = ""
    for i, request in enumerate(requests):
        same = _beginning(request)
        if groups and same and same == beginning and len(groups[-1]) < largest:
            groups[-1] = range(groups[-1].start, i + 1)
        else:
            groups.append(range(i, i + 1))
        beginning = same
    return groups


def _beginning(request: Request) -> str:
    """Return the text up to where a request differs from its neighbours: of a conversation as its writer says, and all
    of a text for which several replies are given."""
    if isinstance(request.prompt, str):
        return "" if request.given is None else request.prompt
    known = ""
    for message in request.prompt:
        known += message.content[: message.stable]
        if message.stable < len(message.content):
            break
    return known


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _usage(choices: Sequence[Mapping[str, Any]]) -> Usage:
    return Usage(
        calls=1,
        prompt_tokens=choices[0]["tokens_evaluated"],
        cached_tokens=choices[0]["timings/cache_n"],
        completion_tokens=sum(choice["tokens_predicted"] for choice in choices),
    )


def _reply(choice: Mapping[str, Any], request: Request) -> Reply:
    if request.given is not None:
        logprobs = [token["logprob"] for token in choice.get(_LOGPROBS, ())]
        if len(logprobs) != request.max_tokens:
            raise ModelError(f"the local model did not say how likely {request.given[:60]!r} is")
        return Reply(request.given, logprob=sum(logprobs))
    if choice["stop_type"] == "limit":
        return Reply(choice["content"], "length")
    constraint = request.constraint
    if constraint is not None and constraint.grammar is None and constraint.schema is not None:
        # llama.cpp notes a schema that it does not understand in its log, and decodes freely.
        try:
            json.loads(choice["content"])
        except json.JSONDecodeError:
            raise InvalidInput(
                "the local model's decoder did not follow the JSON schema; is the schema valid?"
            ) from None
    return Reply(choice["content"])
