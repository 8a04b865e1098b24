"""What models cost: counts from the answers themselves, and budgets that hold."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from llmopt.errors import InvalidInput, ModelError
from llmopt.llm.base import Usage
from llmopt.llm.prices import Price

Spent = Literal["tokens", "cost", "calls"]


class BudgetSpent(ModelError):
    """The next call could exceed a budget of tokens, dollars or calls; what was evaluated is kept."""

    def __init__(self, reason: Spent, message: str) -> None:
        super().__init__(message)
        self.reason: Spent = reason


class Bound(NamedTuple):
    """The most tokens that a call can take."""

    prompt_tokens: int
    completion_tokens: int
    calls: int = 1


@dataclass(frozen=True)
class Entry:
    """What one role of a run has spent.

    Attributes
    ----------
    calls, retries
        Calls that were sent, and those among them that repeated a failed one.
    prompt_tokens, cached_tokens, completion_tokens
        As the answers report them; cached tokens are a part of the prompt's.
    unreported
        Calls whose cost is not known, because no answer came or it told none.
    unreported_tokens
        The most that these can have taken; budgets count them.
    seconds
        Time that calls took, added up; calls at the same time count each.
    dollars
        Unreported calls at the most that they can have cost; None where a price is not known.
    """

    calls: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    unreported: int = 0
    unreported_tokens: int = 0
    seconds: float = 0.0
    dollars: float | None = 0.0

    @property
    def tokens(self) -> int:
        """The tokens that budgets count."""
        return self.prompt_tokens + self.completion_tokens + self.unreported_tokens

    def plus(self, other: Entry) -> Entry:
        values: dict[str, Any] = {}
        for name in self.__dataclass_fields__:
            a, b = getattr(self, name), getattr(other, name)
            values[name] = None if a is None or b is None else a + b
        return Entry(**values)


class Ledger:
    """The account of one run, for all its roles and threads.

    A call is charged with the most that it can cost before it is sent, and with what its answer reports when that is
    known. So no number of calls in flight exceeds a budget, as long as answers report what is true. While calls are
    in flight, one that would exceed the budget waits for what they leave over.

    Parameters
    ----------
    max_tokens, max_cost, max_calls
        Budgets: tokens read and written, dollars, calls sent. None: no limit.
    seconds
        Time from now on after which no call goes on. None: no limit.
    spent
        What was spent before, by role; it counts.
    on_entry
        Is told whatever is spent, as soon as it is known; called from any thread.

    Raises
    ------
    InvalidInput
        A budget is not a number above 0.
    """

    def __init__(
        self,
        *,
        max_tokens: int | None = None,
        max_cost: float | None = None,
        max_calls: int | None = None,
        seconds: float | None = None,
        spent: Mapping[str, Entry] | None = None,
        on_entry: Callable[[str, Entry], None] | None = None,
    ) -> None:
        budgets = {"max_tokens": max_tokens, "max_cost": max_cost, "max_calls": max_calls, "seconds": seconds}
        for name, value in budgets.items():
            if value is not None and not 0 < value < float("inf"):
                raise InvalidInput(f"{name} must be above 0, not {value!r}")
        self.until = float("inf") if seconds is None else time.monotonic() + seconds
        self.max_tokens = max_tokens
        self.max_cost = max_cost
        self.max_calls = max_calls
        self._changed = threading.Condition()
        self._entries: dict[str, Entry] = dict(spent or {})
        self._on_entry = on_entry
        self._open: set[Charge] = set()
        self._broken = ""

    @property
    def limited(self) -> bool:
        """Whether there is any budget."""
        return self.max_tokens is not None or self.max_cost is not None or self.max_calls is not None

    def roles(self) -> Mapping[str, Entry]:
        """Return what each role has spent."""
        with self._changed:
            return dict(self._entries)

    def total(self) -> Entry:
        """Return what all roles have spent together."""
        return total(self.roles())

    def reserve(self, role: str, price: Price | None, bound: Bound, *, again: bool = False) -> Charge:
        """Charge a call with the most that it can cost; to be settled, lost or freed when it is over.

        Raises
        ------
        BudgetSpent
            It could exceed a budget, even once everything in flight is settled.
        ModelError
            An earlier call reported more than it can have taken.
        InvalidInput
            There is a budget in dollars and the price is not known.
        """
        if price is None and self.max_cost is not None:
            raise InvalidInput("a budget in dollars needs the model's price, which is not known; give a price file")
        dollars = None if price is None else price.bound(bound.prompt_tokens, bound.completion_tokens)
        charge = Charge(self, role, price, bound, dollars, again)
        with self._changed:
            while True:
                if self._broken:
                    raise ModelError(self._broken)
                spent = self._excess(charge)
                if spent is None:
                    break
                if not self._open:
                    raise spent
                self._changed.wait()
            self._open.add(charge)
        return charge

    def _excess(self, new: Charge) -> BudgetSpent | None:
        if not self.limited:
            return None
        spent = total(self._entries)
        pending = [*self._open, new]
        tokens = sum(c.bound.prompt_tokens + c.bound.completion_tokens for c in pending)
        most = new.bound.prompt_tokens + new.bound.completion_tokens
        if self.max_tokens is not None and spent.tokens + tokens > self.max_tokens:
            return BudgetSpent(
                "tokens",
                f"the budget of {self.max_tokens:,} tokens is spent: {spent.tokens:,} were used, and the next call can "
                f"take up to {most:,}",
            )
        dollars = sum(c.dollars or 0.0 for c in pending)
        if self.max_cost is not None and (spent.dollars or 0.0) + dollars > self.max_cost:
            return BudgetSpent(
                "cost",
                f"the budget of {self.max_cost:g} dollars is spent: {spent.dollars or 0.0:.4g} were used, and the next "
                f"call can cost up to {new.dollars or 0.0:.4g}",
            )
        if self.max_calls is not None and spent.calls + sum(c.bound.calls for c in pending) > self.max_calls:
            return BudgetSpent(
                "calls",
                f"the budget of {self.max_calls:,} calls is spent: {spent.calls:,} were sent, and the next request can "
                f"take {new.bound.calls:,}",
            )
        return None

    def _close(self, charge: Charge, entry: Entry, broken: str, rest: Charge | None = None) -> None:
        with self._changed:
            if charge not in self._open:
                return
            self._open.discard(charge)
            if rest is not None:
                self._open.add(rest)
            self._entries[charge.role] = self._entries.get(charge.role, Entry()).plus(entry)
            self._broken = self._broken or broken
            self._changed.notify_all()
        if self._on_entry is not None and entry != Entry():
            self._on_entry(charge.role, entry)
        if broken:
            raise ModelError(broken)


@dataclass(frozen=True, eq=False)
class Charge:
    """A call that is counted with the most that it can cost until one of the methods says what it did."""

    ledger: Ledger
    role: str
    price: Price | None
    bound: Bound
    dollars: float | None
    again: bool

    def settle(self, usage: Usage | None, seconds: float, *, written: int = 0) -> None:
        """Count what the answer reports; None where it reports nothing that can be read.

        Raises
        ------
        ModelError
            It reports more than the call can have taken, and there is a budget that relies on it.
        """
        if usage is None:
            self.lost(seconds)
            return
        self.ledger._close(self, self._reported(usage, seconds, written), self._excess(usage))

    def part(self, usage: Usage) -> Charge:
        """Count what a part of the answer reports, and return the charge for the rest.

        Raises
        ------
        ModelError
            As :meth:`settle`.
        """
        calls, prompt, _, completion = usage
        bound = Bound(
            max(0, self.bound.prompt_tokens - prompt),
            max(0, self.bound.completion_tokens - completion),
            max(0, self.bound.calls - calls),
        )
        dollars = None if self.price is None else self.price.bound(bound.prompt_tokens, bound.completion_tokens)
        rest = replace(self, bound=bound, dollars=dollars)
        self.ledger._close(self, self._reported(usage, 0.0, 0), self._excess(usage), rest)
        return rest

    def _reported(self, usage: Usage, seconds: float, written: int) -> Entry:
        cost = None
        if self.price is not None:
            cost = self.price.cost(usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens, written)
        calls, prompt, cached, completion = usage
        entry = self._entry(calls, seconds, cost)
        return replace(entry, prompt_tokens=prompt, cached_tokens=cached, completion_tokens=completion)

    def _excess(self, usage: Usage) -> str:
        prompt, completion = usage.prompt_tokens, usage.completion_tokens
        if not self.ledger.limited or (
            prompt <= self.bound.prompt_tokens and completion <= self.bound.completion_tokens
        ):
            return ""
        return (
            f"a call reported {prompt:,} tokens read and {completion:,} written, more than the "
            f"{self.bound.prompt_tokens:,} and {self.bound.completion_tokens:,} that it can have taken; budgets "
            "cannot hold with such reports"
        )

    def lost(self, seconds: float) -> None:
        """Count a call whose cost nobody knows with the most that it can have cost."""
        tokens = self.bound.prompt_tokens + self.bound.completion_tokens
        entry = self._entry(self.bound.calls, seconds, self.dollars)
        self.ledger._close(self, replace(entry, unreported=self.bound.calls, unreported_tokens=tokens), "")

    def free(self, seconds: float) -> None:
        """Count a call that was refused and costs nothing."""
        self.ledger._close(self, self._entry(self.bound.calls, seconds, 0.0), "")

    def cancel(self) -> None:
        """Count nothing: the call was never sent."""
        self.ledger._close(self, Entry(), "")

    def _entry(self, calls: int, seconds: float, dollars: float | None) -> Entry:
        return Entry(calls=calls, retries=calls if self.again else 0, seconds=seconds, dollars=dollars)


def total(entries: Mapping[str, Entry]) -> Entry:
    """Return what all roles have spent together."""
    together = Entry()
    for entry in entries.values():
        together = together.plus(entry)
    return together
