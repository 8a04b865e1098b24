"""What calls of models may take, before any is sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from llmopt.errors import ModelError
from llmopt.llm.base import LLM, Request
from llmopt.llm.metered import prompt_bound
from llmopt.llm.terms import Terms
from llmopt.report.table import dollars as money_of

UNKNOWN = "price unknown (--prices)"


@dataclass(frozen=True)
class Estimate:
    """What a number of calls may take.

    Parameters
    ----------
    what
        Which calls, and how many: ``{calls}`` stands where the number goes.
    calls, read, written
        The calls, and the tokens that they read and write.
    dollars
        None: not known.
    """

    what: str
    calls: int
    read: int
    written: int
    dollars: float | None

    def plus(self, other: Estimate) -> Estimate:
        """Return what both take together."""
        return Estimate(
            self.what,
            self.calls + other.calls,
            self.read + other.read,
            self.written + other.written,
            None if self.dollars is None or other.dollars is None else self.dollars + other.dollars,
        )

    def __str__(self) -> str:
        what = self.what.replace("{calls}", f"{self.calls:,}")
        if not self.read:
            return f"{what}: {money(self.dollars)}"
        return f"{what}, about {self.read:,} tokens read, at most {self.written:,} written: {money(self.dollars)}"


def estimate(
    what: str, calls: int, times: float, asked: Iterable[tuple[LLM, Sequence[Request]]], terms: Terms
) -> Estimate:
    """Return what calls may take of which ``times`` are as ``asked``: requests by model."""
    read = written = 0.0
    dollars: float | None = 0.0
    for llm, requests in asked:
        price = terms.price(llm)
        for request in requests:
            # Without replies by the dozen, the prompt is read for each.
            sent = 1 if llm.capabilities.n else request.n
            tokens, most = _tokens(llm, request), request.n * request.max_tokens
            read += times * sent * tokens
            written += times * most
            if dollars is not None:
                dollars = None if price is None else dollars + times * sent * price.cost(tokens, 0, most // sent)
    return Estimate(what, calls, round(read), round(written), dollars)


def money(dollars: float | None) -> str:
    """Return an amount of dollars that may not be known."""
    return UNKNOWN if dollars is None else money_of(dollars)


def _tokens(llm: LLM, request: Request) -> int:
    try:
        counted = llm.count_tokens(request.prompt)
    except ModelError:
        # A recording may not hold the count.
        counted = None
    # Four characters a token is what tokenizers give for English, near enough for an estimate.
    return counted or prompt_bound(request) // 4
