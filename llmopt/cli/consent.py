"""What is to be spent is said before it begins; above a limit, a person is asked."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from llmopt.cli.estimate import Estimate, money
from llmopt.cli.forecast import Forecast
from llmopt.errors import InvalidInput
from llmopt.report.table import dollars

ASK_ABOVE = 1.0
"""Dollars from which a person at a terminal is asked; a model without a known price that is not free, always."""


def confirm(forecasts: Sequence[Forecast], *, yes: bool, quiet: bool) -> None:
    """Say what comparisons may take together, and ask once where it is expensive.

    Parameters
    ----------
    forecasts
        Of each comparison.
    yes
        Do not ask.
    quiet
        Say nothing where nobody is asked.

    Raises
    ------
    InvalidInput
        The person said no; nothing was sent.
    """
    estimates = _together(forecasts)
    if not estimates:
        return
    costs = [each.dollars for each in forecasts]
    total = None if any(cost is None for cost in costs) else sum(cost for cost in costs if cost is not None)
    asks = not yes and (total is None or total > ASK_ABOVE) and sys.stdin.isatty() and sys.stderr.isatty()
    # Whoever is asked must know what about.
    if asks or not quiet:
        for each in estimates:
            print(f"llmopt: {each}", file=sys.stderr)
        if (line := _total(estimates, total)) is not None:
            print(f"llmopt: {line}", file=sys.stderr)
    if not asks:
        return
    print(f"llmopt: that may be more than {dollars(ASK_ABOVE)}; go on? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise InvalidInput("nothing was sent; give a smaller budget (--max-scorer-calls), or --yes to go on")


def _together(forecasts: Sequence[Forecast]) -> list[Estimate]:
    """Return the estimates of all, those of the same calls as one."""
    found: dict[str, Estimate] = {}
    for each in (one for forecast in forecasts for one in forecast.estimates):
        found[each.what] = found[each.what].plus(each) if each.what in found else each
    return list(found.values())


def _total(estimates: Sequence[Estimate], total: float | None) -> str | None:
    """Say what all of it may cost; None where the only line says that."""
    limited = total is not None and total < sum(each.dollars or 0.0 for each in estimates)
    if limited:
        return f"together at most {money(total)} (--max-cost)"
    return None if len(estimates) == 1 else f"together about {money(total)}"
