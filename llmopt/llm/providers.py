"""Which providers can be asked from this machine, and what is missing where one cannot."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec

from llmopt.errors import InvalidInput
from llmopt.llm import keys
from llmopt.llm.endpoint import checked


@dataclass(frozen=True)
class Provider:
    """A provider, and whether it can be asked; nothing is sent to find that out.

    Attributes
    ----------
    name
        What a SPEC begins with.
    works, reason
        Whether everything that is needed is here, and where it comes from or what is missing.
    """

    name: str
    works: bool
    reason: str


def available() -> list[Provider]:
    """Return what is known about each provider."""
    return [_provider(name, f"{name.upper()}_API_KEY", f"{name.upper()}_BASE_URL") for name in ("openai", "anthropic")]


def _provider(name: str, key: str, base: str) -> Provider:
    if find_spec(name) is None:
        return Provider(name, False, f"the package {name} is not installed")
    url = os.environ.get(base)
    try:
        if url:
            checked(url)
        source = keys.find(key, None, needed=not url).source
    except InvalidInput as error:
        return Provider(name, False, str(error) if key in str(error) else f"{base}: {error}")
    where = f"the server of {base}" if url else "the provider's own address"
    known = "no key" if url and not (os.environ.get(key) or os.environ.get(f"{key}_FILE")) else f"the key of {source}"
    return Provider(name, True, f"{where}, with {known}; whether it answers was not tried")
