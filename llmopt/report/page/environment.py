"""Where results come from: the command, the versions and the machines."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from llmopt.benchmarks.results import Results
from llmopt.report.page.markup import Markup, element
from llmopt.report.page.sheet import sheet
from llmopt.report.safe import one_line, portable
from llmopt.report.table import Column, Table


def environment(results: Results) -> Markup:
    """Return the section of results: enough to run it all again."""
    note = (
        "Names of folders and addresses are left out of it. Instances and seeds are those of the table of runs; "
        "the same command gives the same runs, as far as the models that it asks give the same replies."
    )
    return origin(results.meta.get("command"), note, _versions(results), _models(results))


def origin(command: Sequence[str] | None, note: str, versions: Table, *more: Table | None) -> Markup:
    """Return a section about where a page comes from.

    Parameters
    ----------
    command
        What made the results; None where that is not known.
    note
        What to know of it.
    versions, more
        The tables below it.
    """
    return element(
        "section",
        element("h2", "Environment", id="environment"),
        element("h3", "Run it again"),
        *_again(command, note),
        element("h3", "Versions and machines"),
        *(sheet(table, sortable=False) for table in (versions, *more) if table is not None),
        aria_labelledby="environment",
    )


def _again(command: Sequence[str] | None, note: str) -> list[Markup]:
    if not command:
        return [element("p", "The runs were started from Python; the log does not hold a command.")]
    return [element("pre", shlex.join(map(str, command)), class_="command", tabindex=0), element("p", note)]


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
    return pairs("What the runs ran with", rows)


def pairs(title: str, rows: Sequence[tuple[str, str]]) -> Table:
    """Return a table of names and values."""
    return Table(title, [Column("part", number=False), Column("value", number=False)], rows)


def _models(results: Results) -> Table | None:
    known: dict[str, Mapping[str, Any]] = {}
    for trace in results.traces:
        for role, model in trace.run.identity.get("models", {}).items():
            known[f"{role}: {portable(str(model['spec']))}"] = model.get("details", {})
    if not known:
        return None
    rows = [
        (one_line(name), one_line(", ".join(f"{key} {value}" for key, value in details.items())) or "-")
        for name, details in known.items()
    ]
    columns = [Column("model", number=False), Column("details", number=False)]
    return Table("Language models", columns, rows)
