"""What a language model is to the rest of the project: requests in, replies and token counts out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from llmopt.errors import InvalidInput


@dataclass(frozen=True)
class Message:
    """One turn of a conversation.

    Parameters
    ----------
    role, content
        Who says what.
    stable
        The number of leading characters that stay as they are from one request to the next; a provider that reads
        known beginnings at a lower price is told where they end.
    """

    role: Literal["system", "user", "assistant"]
    content: str
    stable: int = 0


@dataclass(frozen=True)
class Constraint:
    """The form that a reply must have.

    A model that can decode under a constraint uses the form it understands and ignores the other; a model
    that can do neither replies freely, and the codec's tolerant parser decides.

    Parameters
    ----------
    grammar
        GBNF text (llama.cpp's grammar format) whose start symbol is ``root``.
    schema
        A JSON schema.
    """

    grammar: str | None = None
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn. The defaults draw from the model's own distribution, as the paper does (5.1).

    Parameters
    ----------
    temperature
        0 is greedy; 1 is the model's distribution.
    top_p, top_k, min_p
        Truncations of the distribution; the defaults (1, 0, 0) truncate nothing. A provider that does not
        take one of them omits it.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0


@dataclass(frozen=True)
class Request:
    """One prompt and how many independent replies to it are wanted.

    Parameters
    ----------
    prompt
        A text to be continued as it stands, or the messages of a conversation.
    n
        The number of replies; they share one reading of the prompt where the model can do that.
    max_tokens
        Upper bound on the tokens of each reply.
    constraint, sampling
        See :class:`Constraint` and :class:`Sampling`.
    stop
        Texts that end a reply; the text itself is not part of the reply.
    seed
        Seed of the first reply, used where the model takes one; reply ``i`` uses ``seed + i``.
    given
        A text in place of a reply. The model writes nothing and says how likely this text is, see :class:`Reply`;
        ``max_tokens`` bounds its tokens, and ``constraint``, ``sampling`` and ``stop`` say nothing.
    """

    prompt: str | tuple[Message, ...]
    n: int = 1
    max_tokens: int = 64
    constraint: Constraint | None = None
    sampling: Sampling = Sampling()
    stop: tuple[str, ...] = ()
    seed: int | None = None
    given: str | None = None


class Usage(NamedTuple):
    """Tokens that were spent. ``cached_tokens`` is the part of ``prompt_tokens`` that was not read again."""

    calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0

    def plus(self, other: Usage) -> Usage:
        return Usage(*(a + b for a, b in zip(self, other, strict=True)))


@dataclass(frozen=True)
class Reply:
    """One reply.

    Parameters
    ----------
    text
        What the model wrote, or was given.
    finish_reason
        ``"stop"``, or ``"length"`` where ``max_tokens`` cut it off.
    logprob
        Of a given text: the natural logarithm of the probability that the model itself begins its reply with it, in the
        tokens in which its tokenizer writes the text, added up over them. None where nothing was given.
    """

    text: str
    finish_reason: Literal["stop", "length"] = "stop"
    logprob: float | None = None


@dataclass(frozen=True)
class Response:
    """The replies to one request, in order, and what they cost together (every reply counted)."""

    replies: tuple[Reply, ...]
    usage: Usage


@dataclass(frozen=True)
class Capabilities:
    """What a model can do; decides what is sent to it.

    ``chat`` answers conversations, ``continuation`` continues raw text, ``grammar`` and ``schema`` decode
    under a :class:`Constraint`, ``n`` gives several replies from one reading of the prompt, ``seed`` takes
    seeds, ``logprobs`` says how likely a given reply is, ``context`` is the number of tokens that prompt and
    reply may have together (None: not known).
    """

    chat: bool = False
    continuation: bool = False
    grammar: bool = False
    schema: bool = False
    n: bool = False
    seed: bool = False
    logprobs: bool = False
    context: int | None = None


@dataclass(frozen=True)
class ModelInfo:
    """What identifies a model in reports and logs; never an address that changes, never a key."""

    spec: str
    details: Mapping[str, str] = field(default_factory=dict)


Take = Callable[[int, int, Response], None]
"""Is given a part of the answers: the request's place, the number of the part's first reply, and the part."""


class LLM(ABC):
    """A language model: ``generate`` answers a batch of independent requests, in the order given.

    Implementations are safe to call from several threads. They are context managers; ``close`` releases
    what they hold and may be called twice.
    """

    @property
    @abstractmethod
    def info(self) -> ModelInfo:
        """The model's identity."""

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What the model can do."""

    @abstractmethod
    def generate(self, requests: Sequence[Request]) -> list[Response]:
        """Answer every request; each response holds exactly ``request.n`` replies.

        Raises
        ------
        ModelError
            The model cannot answer (it is gone, a request is longer than its context, ...).
        InvalidInput
            A request asks for what :attr:`capabilities` exclude, such as chat from a base model.
        """

    def deliver(self, requests: Sequence[Request], take: Take) -> list[Response]:
        """Answer as :meth:`generate` does, and hand over every part as soon as it is there.

        A model that fails after some parts were answered has handed these over, so that nothing that was paid for
        is lost. ``take`` is called from any thread, and never again after this returns; here it is called at the end.
        """
        responses = self.generate(requests)
        for i, response in enumerate(responses):
            take(i, 0, response)
        return responses

    def count_tokens(self, prompt: str | tuple[Message, ...]) -> int | None:
        """Return the number of tokens of a prompt as the model would read it, or None where it cannot tell."""
        return None

    def close(self) -> None:
        """Release what the model holds."""
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Wrapper(LLM):
    """A model in front of another one, which it is in all that a subclass does not change.

    Parameters
    ----------
    llm
        The model behind; whoever opened it closes it.
    """

    def __init__(self, llm: LLM) -> None:
        self._llm = llm

    @property
    def info(self) -> ModelInfo:
        return self._llm.info

    @property
    def capabilities(self) -> Capabilities:
        return self._llm.capabilities

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        return self.deliver(requests, _nobody)

    @abstractmethod
    def deliver(self, requests: Sequence[Request], take: Take) -> list[Response]:
        """As :meth:`LLM.deliver`."""

    def count_tokens(self, prompt: str | tuple[Message, ...]) -> int | None:
        return self._llm.count_tokens(prompt)


def check_given(llm: LLM, requests: Sequence[Request]) -> None:
    """Raise InvalidInput where a reply is given and the model cannot say how likely it is."""
    if not llm.capabilities.logprobs and any(request.given is not None for request in requests):
        raise InvalidInput(f"{llm.info.spec} does not say how likely a given reply is; use a local model")


def _nobody(i: int, first: int, part: Response) -> None:
    return
