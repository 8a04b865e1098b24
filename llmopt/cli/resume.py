"""``llmopt resume``: going on with what was interrupted."""

from __future__ import annotations

from typing import Annotated

import typer

from llmopt.cli import options


def resume(
    folder: options.Folder,
    max_evaluations: options.MaxEvaluations = None,
    max_steps: options.MaxSteps = None,
    max_seconds: options.MaxSeconds = None,
    max_tokens: options.MaxTokens = None,
    max_cost: options.MaxCost = None,
    max_calls: options.MaxCalls = None,
    max_scorer_calls: options.MaxScorerCalls = None,
    prices: options.Prices = None,
    workers: options.Workers = 1,
    fork: Annotated[
        bool, typer.Option("--fork", help="Begin new runs that are told what the interrupted ones evaluated.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Go on although the version of a package has changed.")
    ] = False,
    yes: options.Yes = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Go on with an interrupted comparison where its log ends.

    Nothing is evaluated or asked twice. Budgets are those of the comparison, unless others are given.

    Example: llmopt resume report --max-evaluations 500
    """
    from llmopt.budget import limits
    from llmopt.cli.session import resume as go_on

    given = limits(max_evaluations, max_steps, max_seconds, max_tokens, max_cost, max_calls, max_scorer_calls)
    return go_on(folder, given, prices=prices, workers=workers, fork=fork, force=force, yes=yes, json=json, quiet=quiet)
