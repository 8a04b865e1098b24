"""What tokens cost, in dollars per million."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from llmopt.errors import InvalidInput

AS_OF = "November 2026"
"""When the table was last compared with the providers' price lists. Prices change: a file of the user's own goes
before it (:func:`load`)."""

_DATED = re.compile(r"-(\d{8}|\d{4}-\d{2}-\d{2})$")


@dataclass(frozen=True)
class Price:
    """Dollars per million tokens.

    Parameters
    ----------
    input, output
        Tokens read and written.
    cached
        Tokens read from the provider's cache; default as ``input``.
    write
        Tokens read and put into that cache; default as ``input``.
    long_from
        A prompt of more tokens than this is dearer; None: none is.
    long_input, long_output
        Factors on every price of such a call.
    """

    input: float
    output: float
    cached: float | None = None
    write: float | None = None
    long_from: int | None = None
    long_input: float = 1.0
    long_output: float = 1.0

    def cost(self, prompt: int, cached: int, completion: int, written: int = 0) -> float:
        """Return the dollars of a call; ``cached`` and ``written`` are parts of ``prompt``."""
        long = self.long_from is not None and prompt > self.long_from
        cached_price = self.input if self.cached is None else self.cached
        write_price = self.input if self.write is None else self.write
        read = (prompt - cached - written) * self.input + cached * cached_price + written * write_price
        factors = (self.long_input, self.long_output) if long else (1.0, 1.0)
        return (read * factors[0] + completion * self.output * factors[1]) / 1e6

    def bound(self, prompt: int, completion: int) -> float:
        """Return the most dollars that a call of at most so many tokens can cost."""
        dearest = max(self.input, self.cached or 0.0, self.write or 0.0)
        long = self.long_from is not None and prompt > self.long_from
        factors = (max(1.0, self.long_input), max(1.0, self.long_output)) if long else (1.0, 1.0)
        return (prompt * dearest * factors[0] + completion * self.output * factors[1]) / 1e6


FREE = Price(0.0, 0.0)

# From the providers' public price lists; prices of the ordinary service tier.
_TABLE: dict[str, Price] = {
    "openai:gpt-6-astra": Price(10, 50, 1.0, 12.5, 272_000, 2.0, 1.5),
    "openai:gpt-6.1-sol": Price(2, 10, 0.1, 2.5, 272_000, 2.0, 1.5),
    "openai:gpt-6.1-terra": Price(1, 5, 0.05, 1.25, 272_000, 2.0, 1.5),
    "openai:gpt-6-sol": Price(2, 10, 0.2, 2.5, 272_000, 2.0, 1.5),
    "openai:gpt-6-luna": Price(0.1, 0.5, 0.01, 0.125, 272_000, 2.0, 1.5),
    "openai:gpt-5": Price(1.25, 10, 0.125),
    "openai:gpt-5-mini": Price(0.25, 2, 0.025),
    "openai:gpt-4.1": Price(2, 8, 0.5),
    "openai:gpt-4.1-mini": Price(0.4, 1.6, 0.1),
    "openai:gpt-4o": Price(2.5, 10, 1.25),
    "openai:gpt-4o-mini": Price(0.15, 0.6, 0.075),
    "anthropic:claude-fable-5-1": Price(10, 50, 0.25, 12.5),
    "anthropic:claude-opus-5-5": Price(4, 20, 0.2, 5),
    "anthropic:claude-opus-5": Price(5, 25, 0.5, 6.25),
    "anthropic:claude-sonnet-5-5": Price(2, 10, 0.1, 2.5),
    "anthropic:claude-haiku-5-5": Price(0.1, 0.5, 0.01, 0.125, 100_000, 5.0, 5.0),
    "anthropic:claude-haiku-4-5": Price(1, 5, 0.1, 1.25),
}


def find(spec: str, prices: Mapping[str, Price] | None = None) -> Price | None:
    """Return the price of a model by its SPEC; None where it is not known.

    A model at another address than its maker's has no known price, because whoever runs it sets it.

    Parameters
    ----------
    spec
        As :attr:`llmopt.llm.base.ModelInfo.spec`.
    prices
        The user's own, which go before the table.
    """
    for name in (spec, _DATED.sub("", spec)):
        for table in (prices or {}, _TABLE):
            if name in table:
                return table[name]
    return FREE if spec.partition(":")[0] in ("local", "replay", "copier") else None


def at_provider(spec: str) -> bool:
    """Return whether a model is asked over a provider's protocol, so that its replies may cost money."""
    return spec.partition(":")[0] in ("openai", "anthropic")


def load(path: str | Path) -> dict[str, Price]:
    """Read prices from a JSON file: ``{"openai:MODEL": {"input": 2, "output": 8, "cached": 0.5}, ...}``.

    Raises
    ------
    InvalidInput
        The file cannot be read, or something in it is not a price; the message names it.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"price file {path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise InvalidInput(f"price file {path} is not JSON") from None
    if not isinstance(content, dict):
        raise InvalidInput(f"price file {path}: expected an object with a price for each model")
    return {spec: _price(f"price file {path}: {spec}", entry) for spec, entry in content.items()}


def _price(where: str, entry: object) -> Price:
    names = [field.name for field in fields(Price)]
    if not isinstance(entry, dict) or not {"input", "output"} <= set(entry) <= set(names):
        raise InvalidInput(f"{where} needs input and output, and may have {', '.join(names[2:])}")
    for name, value in entry.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            raise InvalidInput(f"{where}: {name} must be a number of at least 0, not {value!r}")
    return Price(**entry)
