"""``llmopt compare`` and ``llmopt solve``."""

from __future__ import annotations

from typing import Annotated

import typer

from llmopt.cli import options


def compare(
    problem: options.ProblemName,
    settings: options.Settings = None,
    solvers: Annotated[
        str | None,
        typer.Option(
            "--solvers", metavar="A,B,C", help="Solvers, each NAME or NAME:key=value; see 'llmopt list solvers'."
        ),
    ] = None,
    llm: options.Model = "local",
    repeats: Annotated[
        int, typer.Option("--repeats", metavar="N", help="Repeats; repeat r is instance K + r with seed S + r.")
    ] = 5,
    seed: options.Seed = 0,
    max_evaluations: options.MaxEvaluations = None,
    max_steps: options.MaxSteps = None,
    max_seconds: options.MaxSeconds = None,
    max_tokens: options.MaxTokens = None,
    max_cost: options.MaxCost = None,
    max_calls: options.MaxCalls = None,
    max_scorer_calls: options.MaxScorerCalls = None,
    full_evaluation: options.FullEvaluation = False,
    race_level: options.RaceLevel = None,
    data: options.Data = None,
    initial: options.Initial = None,
    transfer: options.Transfer = None,
    yes: options.Yes = False,
    hint: options.Hint = "",
    prices: options.Prices = None,
    cache: options.Cache = "auto",
    workers: options.Workers = 1,
    out: options.Out = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    dry_run: options.DryRun = False,
    quiet: options.Quiet = False,
) -> int:
    """Run several solvers on one problem; show a table.

    Example: llmopt compare regression w_true=15 b_true=14 --solvers opro,tpe,random --out report
    """
    from llmopt.budget import limits
    from llmopt.cli.order import Order
    from llmopt.cli.pairs import perform_pairs
    from llmopt.cli.session import budget, split, terms, with_files

    order = Order(
        problem=problem,
        pairs=with_files(settings or (), data=data, initial=initial),
        solvers=None if solvers is None else split(solvers),
        llm=llm,
        repeats=repeats,
        seed=seed,
        budget=budget(
            limits(max_evaluations, max_steps, max_seconds, max_tokens, max_cost, max_calls, max_scorer_calls)
        ),
        hint=hint,
        terms=terms(prices, cache),
        workers=workers,
        out=out,
        overwrite=overwrite,
        json=json,
        quiet=quiet,
        full_evaluation=full_evaluation,
        race_level=race_level,
        transfer=tuple(transfer or ()),
        yes=yes,
    )
    return perform_pairs(order, dry=dry_run)


def solve(
    problem: options.ProblemName,
    settings: options.Settings = None,
    solver: Annotated[
        str, typer.Option("--solver", metavar="NAME", help="A solver, NAME or NAME:key=value:key=value.")
    ] = "opro",
    llm: options.Model = "local",
    seed: options.Seed = 0,
    max_evaluations: options.MaxEvaluations = None,
    max_steps: options.MaxSteps = None,
    max_seconds: options.MaxSeconds = None,
    max_tokens: options.MaxTokens = None,
    max_cost: options.MaxCost = None,
    max_calls: options.MaxCalls = None,
    max_scorer_calls: options.MaxScorerCalls = None,
    full_evaluation: options.FullEvaluation = False,
    race_level: options.RaceLevel = None,
    data: options.Data = None,
    initial: options.Initial = None,
    transfer: options.Transfer = None,
    yes: options.Yes = False,
    hint: options.Hint = "",
    prices: options.Prices = None,
    cache: options.Cache = "auto",
    workers: options.Workers = 1,
    out: options.Out = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    dry_run: options.DryRun = False,
    quiet: options.Quiet = False,
) -> int:
    """Run one solver once and show the best solution.

    Example: llmopt solve regression w_true=15 b_true=14 --solver tpe --max-evaluations 200
    """
    from llmopt.budget import limits
    from llmopt.cli.order import Order
    from llmopt.cli.pairs import perform_pairs
    from llmopt.cli.session import budget, terms, with_files

    order = Order(
        problem=problem,
        pairs=with_files(settings or (), data=data, initial=initial),
        solvers=(solver,),
        llm=llm,
        seed=seed,
        budget=budget(
            limits(max_evaluations, max_steps, max_seconds, max_tokens, max_cost, max_calls, max_scorer_calls)
        ),
        hint=hint,
        terms=terms(prices, cache),
        workers=workers,
        out=out,
        overwrite=overwrite,
        json=json,
        quiet=quiet,
        full_evaluation=full_evaluation,
        race_level=race_level,
        transfer=tuple(transfer or ()),
        yes=yes,
        single=True,
    )
    return perform_pairs(order, dry=dry_run)
