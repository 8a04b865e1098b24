"""What an endpoint takes: one record, stated in a table or by the user, that decides what is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from llmopt.errors import InvalidInput
from llmopt.llm.base import Capabilities


@dataclass(frozen=True)
class Endpoint:
    """What one model takes at one address.

    Parameters
    ----------
    chat, continuation
        It answers conversations; it continues raw text.
    schema
        It decodes under a JSON schema.
    grammar
        The field of the request's body that takes a grammar (``"a.b"`` for one inside another); empty: it takes none.
    choices
        Independent replies that one call can give.
    array
        It takes no sampling parameters: several candidates under a schema are asked for as one JSON array.
    seed
        It takes seeds.
    sampling
        The fields of :class:`llmopt.llm.base.Sampling` that it takes; the others are not sent.
    stop
        Texts that may end a reply, at most; 0: it takes none, and replies are cut here.
    limit
        The name of the limit on tokens in the request's body.
    effort, thinking
        How much to think before a reply, and whether, where the endpoint takes it; empty: not sent.
    thinking_tokens
        Room for thoughts, which count as tokens of the reply, on top of ``Request.max_tokens``.
    cache_from
        Tokens from which a prompt's stable part is marked for the provider's cache; 0: never.
    context
        Tokens that prompt and reply may have together; None: not known.
    """

    chat: bool = True
    continuation: bool = False
    schema: bool = False
    grammar: str = ""
    choices: int = 1
    array: bool = False
    seed: bool = False
    sampling: tuple[str, ...] = ()
    stop: int = 4
    limit: str = "max_tokens"
    effort: str = ""
    thinking: str = ""
    thinking_tokens: int = 0
    cache_from: int = 0
    context: int | None = None

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            chat=self.chat,
            continuation=self.continuation,
            grammar=bool(self.grammar),
            schema=self.schema,
            n=self.choices > 1 or (self.array and self.schema),
            seed=self.seed,
            context=self.context,
        )

    @property
    def details(self) -> dict[str, str]:
        """What changes the replies to the same request."""
        said = {"effort": self.effort, "thinking": self.thinking, "array": "one array" if self.array else ""}
        return {name: value for name, value in said.items() if value}

    def stated(self, facts: Mapping[str, Any]) -> Endpoint:
        """Return the record with what the user knows better.

        Raises
        ------
        InvalidInput
            A name is unknown.
        """
        names = [field.name for field in fields(self)]
        for name in facts:
            if name not in names:
                near = get_close_matches(name, names, 1)
                hint = f"; did you mean {near[0]}?" if near else f"; it has {', '.join(names)}"
                raise InvalidInput(f"an endpoint has no {name!r}{hint}")
        return replace(self, **facts)


class Place(NamedTuple):
    """A model and where it is: ``MODEL``, ``MODEL@URL`` or ``MODEL@URL#KIND``; KIND names the server's program."""

    model: str
    url: str | None = None
    kind: str = ""

    @classmethod
    def parse(cls, text: str, provider: str) -> Place:
        """Read what follows ``PROVIDER:`` in a SPEC.

        Raises
        ------
        InvalidInput
            There is no model, or the URL is not legal.
        """
        # A model's name may hold an @ of its own.
        model, at, url = text, "", ""
        if found := re.search(r"@(?=https?://)", text):
            model, at, url = text[: found.start()], "@", text[found.end() :]
        if not model or model != model.strip():
            raise InvalidInput(f"{provider} needs a model: {provider}:MODEL or {provider}:MODEL@URL")
        if not at:
            return cls(model)
        url, _, kind = url.partition("#")
        return cls(model, checked(url), kind)

    @property
    def spec(self) -> str:
        """The part of a SPEC after the provider."""
        where = "" if self.url is None else f"@{self.url}"
        return f"{self.model}{where}{'#' + self.kind if self.kind else ''}"


def checked(url: str) -> str:
    """Return a URL without its last slash.

    Raises
    ------
    InvalidInput
        It is none, or it holds a secret; the message does not show it.
    """
    try:
        parts = urlsplit(url)
        legal = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        legal = False
    if not legal:
        raise InvalidInput("the model's URL is not legal; it must be like https://example.org/v1")
    if parts.username is not None or parts.password is not None or parts.query:
        raise InvalidInput("the model's URL must hold no user, password or query; a key belongs in the environment")
    return url.rstrip("/")


def lookup(
    table: Mapping[str, Endpoint], model: str, *, kinds: Mapping[str, Endpoint], kind: str, unknown: Endpoint
) -> Endpoint:
    """Return the record of a server's program where it is named, else that of the longest prefix of a model's name.

    Raises
    ------
    InvalidInput
        The program is unknown.
    """
    if kind:
        if kind not in kinds:
            raise InvalidInput(f"unknown kind of server {kind!r}; it must be one of {', '.join(kinds)}")
        return kinds[kind]
    name = model.rpartition("/")[2]
    prefixes = [prefix for prefix in table if name.startswith(prefix)]
    return table[max(prefixes, key=len)] if prefixes else unknown
