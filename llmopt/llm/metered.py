"""A model whose calls are booked in a run's ledger."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from contextvars import ContextVar

from llmopt.errors import InvalidInput
from llmopt.llm.base import LLM, Capabilities, Request, Response, Take, Usage, Wrapper
from llmopt.llm.ledger import Bound, Charge, Ledger
from llmopt.llm.prices import Price

# What a provider adds to a prompt: marks around every message, and words about the form of the answer.
_PER_MESSAGE = 64
_PER_SCHEMA = 512


class Metered(Wrapper):
    """Books what a model costs in a ledger, and sends nothing that could exceed the ledger's budgets.

    A model that sends calls of its own (:class:`llmopt.llm.remote.RemoteLLM`) books each of them, retries included,
    also where other wrappers stand between it and this one. Any other is booked by request.

    Parameters
    ----------
    llm
        The model; it is not closed with this object.
    ledger
        That of the run.
    role
        Such as ``"optimizer"`` or ``"scorer"``.
    price
        None: not known; see :func:`llmopt.llm.prices.find`.
    """

    def __init__(self, llm: LLM, ledger: Ledger, role: str, *, price: Price | None) -> None:
        super().__init__(llm)
        self._ledger = ledger
        self._role = role
        self._price = price

    def deliver(self, requests: Sequence[Request], take: Take) -> list[Response]:
        """As the model does; see :meth:`llmopt.llm.base.LLM.deliver`.

        Raises
        ------
        BudgetSpent
            The requests could exceed a budget.
        """
        account = Account(self._ledger, self._role, self._price)
        account.hold([bound(request, self.capabilities) for request in requests])
        began = time.perf_counter()
        token = _account.set(account)

        def book(i: int, first: int, part: Response) -> None:
            # Before it is handed on: whoever keeps the reply knows that it is booked.
            account.part(part.usage)
            take(i, first, part)

        try:
            responses = self._llm.deliver(requests, book)
        except InvalidInput:
            account.close(Usage(), time.perf_counter() - began)
            raise
        except BaseException:
            account.close(None, time.perf_counter() - began)
            raise
        finally:
            _account.reset(token)
        usage = Usage()
        for response in responses:
            usage = usage.plus(response.usage)
        account.close(usage, time.perf_counter() - began)
        return responses


class Account:
    """What one ``generate`` of a role may spend: held as a whole, or call by call once a model books its own."""

    def __init__(self, ledger: Ledger, role: str, price: Price | None) -> None:
        self._ledger = ledger
        self._role = role
        self._price = price
        self._whole: Charge | None = None
        self._booked = Usage()
        self._lock = threading.Lock()

    @property
    def until(self) -> float:
        """The time at which calls must be over."""
        return self._ledger.until

    def hold(self, bounds: Sequence[Bound]) -> None:
        """Reserve the most that the requests can cost as they are."""
        if bounds:
            together = Bound(*(sum(values) for values in zip(*bounds, strict=True)))
            self._whole = self._ledger.reserve(self._role, self._price, together)

    def call(self, bound: Bound, *, again: bool) -> Charge:
        """Reserve one call."""
        return self._ledger.reserve(self._role, self._price, bound, again=again)

    def itemize(self) -> None:
        """From now on book calls, and no longer the requests as a whole."""
        whole, self._whole = self._whole, None
        if whole is not None:
            whole.cancel()

    def part(self, usage: Usage) -> None:
        """Book a part of the requests as a whole, unless calls were booked."""
        with self._lock:
            if self._whole is not None:
                self._booked = self._booked.plus(usage)
                self._whole = self._whole.part(usage)

    def close(self, usage: Usage | None, seconds: float) -> None:
        """Book what is left of the requests as a whole, unless calls were booked; ``usage`` is that of all of it."""
        whole, self._whole = self._whole, None
        if whole is not None:
            if usage is not None:
                usage = Usage(*(max(0, a - b) for a, b in zip(usage, self._booked, strict=True)))
            whole.settle(usage, seconds)


_account: ContextVar[Account | None] = ContextVar("llmopt_account", default=None)


def itemized() -> Account:
    """Return the account in which a model books its calls; one that nobody reads where nobody keeps one."""
    account = _account.get() or Account(Ledger(), "", None)
    account.itemize()
    return account


def bound(request: Request, able: Capabilities) -> Bound:
    """Return the most that a request can take, if its replies come one by one or the prompt is read for each."""
    return Bound(request.n * prompt_bound(request), request.n * request.max_tokens, 1 if able.n else request.n)


def prompt_bound(request: Request) -> int:
    """Return an upper bound on the tokens of a request's prompt: no token is shorter than a byte."""
    texts = [request.prompt] if isinstance(request.prompt, str) else [m.content for m in request.prompt]
    tokens = sum(len(text.encode("utf-8", "surrogatepass")) + _PER_MESSAGE for text in texts)
    schema = None if request.constraint is None else request.constraint.schema
    return tokens if schema is None else tokens + _PER_SCHEMA + len(json.dumps(schema, default=dict))
