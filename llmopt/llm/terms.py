"""On what terms runs ask their models: at which prices, and with which cache of replies."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from llmopt.errors import InvalidInput
from llmopt.llm import prices
from llmopt.llm.base import LLM
from llmopt.llm.cache import Cached
from llmopt.llm.ledger import Ledger
from llmopt.llm.metered import Metered
from llmopt.llm.prices import FREE, Price
from llmopt.llm.replay import Replay
from llmopt.llm.reply_file import ReplyFile
from llmopt.runlog.journal import Journal
from llmopt.runlog.replies import Logged
from llmopt.user_cache import user_cache


@dataclass(frozen=True)
class Terms:
    """What holds for the models of any number of runs.

    Parameters
    ----------
    prices
        The user's own, which go before the table of :mod:`llmopt.llm.prices`.
    cache
        The file of the reply cache; None: none; ``"auto"``: the user's shared file for a model whose replies cost
        money, or may do so since a provider's protocol leads to it, and none for others.
    """

    prices: Mapping[str, Price] = field(default_factory=dict)
    cache: str | Path | None = None

    def price(self, llm: LLM) -> Price | None:
        """Return the price of a model; None where it is not known. A recording costs nothing, whoever is in it."""
        return FREE if isinstance(llm, Replay) else prices.find(llm.info.spec, self.prices)

    def check(self, llm: LLM, max_cost: float | None) -> None:
        """Raise InvalidInput where a budget of dollars cannot be kept, because the model's price is not known, or
        the cache cannot be used."""
        if (path := self.cache_of(llm)) is not None:
            ReplyFile(path).close()
        if max_cost is not None and self.price(llm) is None:
            raise InvalidInput(
                f"a budget of dollars needs the price of {llm.info.spec}, which is not known; give it in a price file "
                "(--prices), or leave the budget out"
            )

    def cache_of(self, llm: LLM) -> Path | None:
        """Return the file of a model's cache."""
        if self.cache == "auto":
            price = self.price(llm)
            paid = prices.at_provider(llm.info.spec) if price is None else price != FREE
            return shared_cache() if paid else None
        return None if self.cache is None else Path(self.cache)

    @property
    def scorer_cache(self) -> Path | None:
        """The file of the cache for models that score items."""
        return shared_cache() if self.cache == "auto" else None if self.cache is None else Path(self.cache)


class Models:
    """The models of one run, by role.

    A reply comes from the cache where it is there; only what is asked of the model itself is booked, so that a
    repeated run costs nothing and needs no budget.

    Parameters
    ----------
    terms
        See :class:`Terms`.
    ledger
        The run's account.
    journal
        The run's log, which answers what was asked before and keeps every reply, those of the cache too.
    """

    def __init__(
        self, terms: Terms | None = None, ledger: Ledger | None = None, journal: Journal | None = None
    ) -> None:
        self.ledger = ledger or Ledger()
        self._journal = journal
        self._terms = terms or Terms()
        self._caches: list[Cached] = []
        self._open = ExitStack()

    @property
    def hits(self) -> int:
        """The number of replies so far that came from the cache."""
        before = 0 if self._journal is None else self._journal.cached_replies
        return before + sum(cache.hits for cache in self._caches)

    def bind_scorer(self, llm: LLM, role: str) -> LLM:
        """Return a model that scores items as the run asks it: from the cache where there is one, though the model be
        free, since several solvers score the same instructions. Its answers are kept with the items, not by place.

        Raises
        ------
        InvalidInput
            As by :meth:`bind`.
        """
        self._terms.check(llm, self.ledger.max_cost)
        return self._cached(Metered(llm, self.ledger, role, price=self._terms.price(llm)), self._terms.scorer_cache)

    def bind(self, llm: LLM, role: str) -> LLM:
        """Return a model as the run asks it in a role, such as ``"optimizer"`` or ``"scorer"``.

        Raises
        ------
        InvalidInput
            There is a budget in dollars and the price is not known; the cache cannot be used.
        """
        self._terms.check(llm, self.ledger.max_cost)
        bound = self._cached(Metered(llm, self.ledger, role, price=self._terms.price(llm)), self._terms.cache_of(llm))
        return bound if self._journal is None else Logged(bound, self._journal, role)

    def _cached(self, llm: LLM, path: Path | None) -> LLM:
        if path is None:
            return llm
        cached = self._open.enter_context(Cached(llm, path))
        self._caches.append(cached)
        return cached

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The models themselves belong to whoever opened them.
        self._open.close()


def shared_cache() -> Path:
    """Return the file that the user's runs share."""
    return user_cache() / "replies.sqlite"
