"""``llmopt bench``: a suite is run, or two results of one are compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from llmopt.cli import options

COMPARE = "compare"


def bench(
    suite: Annotated[
        str, typer.Argument(metavar="SUITE", help="A suite ('llmopt list suites'), a file.toml, or 'compare'.")
    ],
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="[DIR DIR]", help="With 'compare': two results of one suite.")
    ] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="The suite's small size.")] = False,
    solvers: Annotated[
        str | None, typer.Option("--solvers", metavar="A,B,C", help="These solvers in place of the suite's.")
    ] = None,
    llm: Annotated[
        str,
        typer.Option(
            "--llm",
            metavar="SPEC",
            help="The language model of all solvers that ask one: local, openai:MODEL, anthropic:MODEL, ...; see "
            "'llmopt models list'.",
        ),
    ] = "local",
    repeats: Annotated[int | None, typer.Option("--repeats", metavar="N", help="Repeats of each problem.")] = None,
    max_evaluations: Annotated[
        int | None, typer.Option("--max-evaluations", metavar="N", help="Evaluations per run.")
    ] = None,
    max_steps: options.MaxSteps = None,
    max_seconds: options.MaxSeconds = None,
    max_tokens: options.MaxTokens = None,
    max_cost: options.MaxCost = None,
    max_calls: options.MaxCalls = None,
    max_scorer_calls: options.MaxScorerCalls = None,
    yes: options.Yes = False,
    prices: options.Prices = None,
    cache: options.Cache = "auto",
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", help="Processes of this machine that do runs at the same time.")
    ] = 1,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", metavar="tcp://HOST:PORT", help="A scheduler of Dask, whose workers do the runs."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Where to; what is there already is gone on with. Default bench-SUITE."
        ),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Run a suite of benchmarks, or compare two results of one: llmopt bench compare DIR DIR.

    The same command again does what is missing. Example: llmopt bench paper-regression --smoke --solvers quadratic,tpe
    """
    from llmopt.budget import limits
    from llmopt.cli.session import split, terms
    from llmopt.errors import InvalidInput

    if suite == COMPARE:
        from llmopt.cli.bench_compare import compare

        if len(folders or ()) != 2:
            raise InvalidInput("give two folders: llmopt bench compare DIR DIR")
        return compare(*(folders or ()), as_json=json)
    if folders:
        raise InvalidInput(f"{folders[0]} is one word too many; the folder of the results is --out {folders[0]}")
    from llmopt.benchmarks.suite_file import find
    from llmopt.cli.benchmarking import perform

    given = limits(max_evaluations, max_steps, max_seconds, max_tokens, max_cost, max_calls, max_scorer_calls)
    chosen = find(suite, smoke=smoke).changed(
        solvers=None if solvers is None else split(solvers), repeats=repeats, limits=given
    )
    folder = out or Path(f"bench-{chosen.name}{'-smoke' if smoke else ''}")
    return perform(
        chosen,
        folder,
        llm,
        terms(prices, cache),
        workers=workers,
        scheduler=scheduler,
        as_json=json,
        quiet=quiet,
        yes=yes,
    )
