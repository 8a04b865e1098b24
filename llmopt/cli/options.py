"""The options that several verbs take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ProblemName = Annotated[str, typer.Argument(metavar="PROBLEM", help="A problem; 'llmopt list problems' shows them.")]
Settings = Annotated[
    list[str] | None, typer.Argument(metavar="KEY=VALUE", help="The problem's settings, such as w_true=15.")
]
Model = Annotated[
    str,
    typer.Option(
        "--llm",
        metavar="SPEC",
        help="The language model: local, openai:MODEL, anthropic:MODEL, ...; see 'llmopt models list'. With commas: "
        "several, each with every scorer (prompt).",
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Seed of repeat 0; repeat r has seed N + r.")]
MaxEvaluations = Annotated[
    int | None,
    typer.Option(
        "--max-evaluations", metavar="N", help="Evaluations per run. Default 1000, if no other limit is given."
    ),
]
MaxSteps = Annotated[int | None, typer.Option("--max-steps", metavar="N", help="Steps per run.")]
MaxSeconds = Annotated[float | None, typer.Option("--max-seconds", metavar="T", help="Seconds per run.")]
MaxTokens = Annotated[
    int | None, typer.Option("--max-tokens", metavar="N", help="Tokens that models read and write, per run.")
]
MaxCost = Annotated[float | None, typer.Option("--max-cost", metavar="USD", help="Dollars for models, per run.")]
MaxCalls = Annotated[int | None, typer.Option("--max-calls", metavar="N", help="Calls to models, per run.")]
MaxScorerCalls = Annotated[
    int | None,
    typer.Option(
        "--max-scorer-calls", metavar="N", help="Instructions times examples that a search may score, per run (prompt)."
    ),
]
FullEvaluation = Annotated[
    bool,
    typer.Option("--full-evaluation", help="Score every candidate on every example; no racing (prompt)."),
]
RaceLevel = Annotated[
    float | None,
    typer.Option(
        "--race-level",
        metavar="P",
        help="Largest probability that a race drops a candidate which would win (prompt). Default: 0.2.",
    ),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="PATH", help="A local copy of the data; the same as data=PATH (prompt)."),
]
Initial = Annotated[
    Path | None,
    typer.Option("--initial", metavar="FILE", help="Instructions to start with, one a line; as initial=FILE (prompt)."),
]
Transfer = Annotated[
    list[str] | None,
    typer.Option(
        "--transfer",
        metavar="KEY=VALUE",
        help="Score what was found with another setting too, such as dataset=bbh/navigate or scorer=SPEC (prompt).",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before a run that may be expensive.")]
Prices = Annotated[
    Path | None, typer.Option("--prices", metavar="FILE", help="Prices of models, in JSON; see docs/models.md.")
]
Cache = Annotated[
    str,
    typer.Option(
        "--cache",
        metavar="FILE|off",
        help="Where replies are kept, so that a repeated run is free. Default: one file, for models that cost money.",
    ),
]
Hint = Annotated[str, typer.Option("--hint", metavar="TEXT", help="What you know, in your words, for the prompt.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Write runs.csv, every evaluation, every reply and pictures here."),
]
Workers = Annotated[
    int, typer.Option("--workers", metavar="N", help="Evaluations of a step at the same time, in threads.")
]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder that --out named.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier comparison in --out.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the first prompt that would be sent; send nothing.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]
