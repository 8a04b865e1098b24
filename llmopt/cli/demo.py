"""``llmopt demo``: the comparison that a newcomer runs first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llmopt.cli import options


def demo(
    llm: options.Model = "local",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to; default demo-report, which is replaced.")
    ] = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Compare a language model with classical methods.

    A line is fitted: five repeats of the paper's first setting (w_true=15, b_true=14), the same budget for all.
    """
    from llmopt.cli import defaults
    from llmopt.cli.order import Order
    from llmopt.cli.session import perform

    order = Order(
        problem=defaults.DEMO_PROBLEM,
        pairs=defaults.DEMO_SETTINGS,
        solvers=defaults.DEMO_SOLVERS,
        llm=llm,
        repeats=defaults.DEMO_REPEATS,
        budget=defaults.DEMO_BUDGET,
        out=out or Path(defaults.DEMO_OUT),
        # The folder that only the demo uses; one that the user names is the user's.
        overwrite=overwrite or out is None,
        json=json,
        quiet=quiet,
    )
    return perform(order)
