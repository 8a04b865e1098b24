"""What the user asked for, and its form in the log, from which it is asked for again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from llmopt.budget import Budget
from llmopt.errors import InvalidInput
from llmopt.llm.prices import Price
from llmopt.llm.terms import Terms

ORDER = "order"
META = "meta"
"""The names of the order and of ``meta.json`` in a log."""


@dataclass(frozen=True)
class Order:
    """What the user asked for."""

    problem: str
    pairs: Sequence[str]
    solvers: Sequence[str] | None
    """None: those that suit the problem."""
    budget: Budget
    llm: str = "local"
    repeats: int = 1
    seed: int = 0
    hint: str = ""
    terms: Terms = field(default_factory=lambda: Terms(cache="auto"))
    workers: int = 1
    out: Path | None = None
    overwrite: bool = False
    json: bool = False
    quiet: bool = False
    single: bool = False
    full_evaluation: bool = False
    race_level: float | None = None
    """None: the default."""
    transfer: Sequence[str] = ()
    yes: bool = False


def asked(order: Order) -> dict[str, Any]:
    """Return what a log says of every run besides problem and solver."""
    return {"llm": order.llm, "hint": order.hint}


def as_json(order: Order, solvers: Sequence[str]) -> dict[str, Any]:
    """Return an order as JSON has it, with the solvers that are to run."""
    cache = order.terms.cache
    return {
        # Where the paths of the settings begin.
        "folder": str(Path.cwd()),
        "problem": order.problem,
        "pairs": list(order.pairs),
        "solvers": list(solvers),
        "budget": asdict(order.budget),
        "llm": order.llm,
        "repeats": order.repeats,
        "seed": order.seed,
        "hint": order.hint,
        "prices": {model: asdict(price) for model, price in order.terms.prices.items()},
        # Another folder may be the current one when it is read.
        "cache": cache if cache is None or cache == "auto" else str(Path(cache).absolute()),
        "single": order.single,
        "full_evaluation": order.full_evaluation,
        "race_level": order.race_level,
        "transfer": list(order.transfer),
    }


def from_json(stored: Mapping[str, Any], out: Path, *, json: bool, quiet: bool) -> Order:
    """Return the order that :func:`as_json` wrote.

    Raises
    ------
    InvalidInput
        It is none.
    """
    try:
        terms = Terms({model: Price(**price) for model, price in stored["prices"].items()}, stored["cache"])
        return Order(
            problem=stored["problem"],
            pairs=tuple(stored["pairs"]),
            solvers=tuple(stored["solvers"]),
            budget=Budget(**stored["budget"]),
            llm=stored["llm"],
            repeats=stored["repeats"],
            seed=stored["seed"],
            hint=stored["hint"],
            terms=terms,
            out=out,
            json=json,
            quiet=quiet,
            single=stored["single"],
            # A log of an earlier version knew no races.
            full_evaluation=stored.get("full_evaluation", False),
            race_level=stored.get("race_level"),
            transfer=tuple(stored.get("transfer", ())),
        )
    except (KeyError, TypeError, AttributeError):
        raise InvalidInput(f"{out}: what was asked for is damaged in the log, and cannot be gone on with") from None
