"""Where results come from: the command, the versions and the machines."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from llmopt.benchmarks.results import Results
from llmopt.report.page.markup import Markup, element, joined
from llmopt.report.page.sheet import sheet
from llmopt.report.safe import one_line, portable
from llmopt.report.table import Column, Table


def environment(results: Results) -> Markup:
    """Return the section's content: enough to run it all again."""
    return joined(
        [
            element("h3", "Run it again"),
            *_command(results),
            element("h3", "Versions and machines"),
            sheet(_versions(results), sortable=False),
            *_models(results),
        ]
    )


def _command(results: Results) -> list[Markup]:
    command = results.meta.get("command")
    if not command:
        return [element("p", "The runs were started from Python; the log does not hold a command.")]
    return [
        element("pre", shlex.join(map(str, command)), class_="command", tabindex=0),
        element(
            "p",
            "Names of folders and addresses are left out of it. Instances and seeds are those of the table of runs; "
            "the same command gives the same runs, as far as the models that it asks give the same replies.",
        ),
    ]


def _versions(results: Results) -> Table:
    """Return one row for each name; several values where runs differ."""
    found: dict[str, dict[str, None]] = {}
    for trace in results.traces:
        for name, value in {**trace.run.identity.get("versions", {}), **trace.run.machine}.items():
            found.setdefault(str(name).replace("_", " "), {})[one_line(str(value))] = None
    times = [trace.run.began for trace in results.traces]
    rows = [
        *((one_line(name), ", ".join(values)) for name, values in found.items()),
        ("first run began (UTC)", one_line(min(times)[:19].replace("T", " "))),
        ("last run began (UTC)", one_line(max(times)[:19].replace("T", " "))),
    ]
    return Table("What the runs ran with", [Column("part", number=False), Column("value", number=False)], rows)


def _models(results: Results) -> list[Markup]:
    known: dict[str, Mapping[str, Any]] = {}
    for trace in results.traces:
        for role, model in trace.run.identity.get("models", {}).items():
            known[f"{role}: {portable(str(model['spec']))}"] = model.get("details", {})
    if not known:
        return []
    rows = [
        (one_line(name), one_line(", ".join(f"{key} {value}" for key, value in details.items())) or "-")
        for name, details in known.items()
    ]
    columns = [Column("model", number=False), Column("details", number=False)]
    return [sheet(Table("Language models", columns, rows), sortable=False)]
