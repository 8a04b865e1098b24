"""How a suite is run from the command line: who does it, what one sees, and what is written."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from llmopt.benchmarks.bench import Bench
from llmopt.benchmarks.cells import Cell
from llmopt.benchmarks.crew import Crew, Here, Models
from llmopt.benchmarks.record import Record
from llmopt.benchmarks.results import Results
from llmopt.benchmarks.suite import Suite, check
from llmopt.cli.bench_forecast import asking, check_spec, forecasts
from llmopt.cli.consent import confirm
from llmopt.cli.order import META
from llmopt.cli.output import origin
from llmopt.cli.progress import outcome
from llmopt.errors import InvalidInput
from llmopt.files import write_whole
from llmopt.integrations.dask import host_of
from llmopt.items import ItemProblem
from llmopt.llm.terms import Terms
from llmopt.registry import asks_model
from llmopt.report.safe import one_line, portable
from llmopt.runlog import RunLog

_SECONDS_BETWEEN_LINES = 1.0
_LOCAL = "local"


def perform(
    suite: Suite,
    folder: Path,
    llm: str,
    terms: Terms,
    *,
    workers: int,
    scheduler: str | None,
    as_json: bool,
    quiet: bool,
    yes: bool,
) -> int:
    """Run what is missing of a suite; print and write what there is then; return the exit code.

    Raises
    ------
    InvalidInput, MissingExtra
        Something is not legal, or is not installed, or the person said no; nothing was evaluated, sent or written.
    """
    if workers < 1:
        raise InvalidInput(f"--workers must be at least 1, not {workers}")
    if scheduler is not None and workers > 1:
        raise InvalidInput("--workers is for processes of this machine, --scheduler for a cluster; give one of them")
    here = scheduler is None or _is_here(host_of(scheduler))
    if suite.needs_model():
        check_spec(llm)
    check(suite)
    if any("scorer_calls" in group.budget for group in suite.groups) and not _may_score_items(suite):
        raise InvalidInput(
            "--max-scorer-calls (scorer_calls in a budget): only for problems whose score is a mean over examples, "
            f"such as prompt, and the suite {suite.name} has none; leave it out"
        )
    interrupted = False
    with ExitStack() as stack:
        models = Models()
        stack.callback(models.close)
        # Those of a cluster elsewhere are opened there, where their keys and weights are.
        if here:
            confirm(forecasts(asking(suite, folder), llm, terms, models.open), yes=yes, quiet=quiet)
        # Before the log, which is not to be made where no scheduler answers.
        crew = stack.enter_context(_crew(models, workers, scheduler))
        log = stack.enter_context(RunLog(folder))
        bench = Bench(suite, log, llm, terms)
        log.set_meta(META, _meta(bench))
        display = Lines(bench, quiet=quiet)
        try:
            display.end(bench.work(crew, display.watch))
        except KeyboardInterrupt:
            interrupted = True
            log.flush()
    failed = _show(folder, as_json=as_json, quiet=quiet) if not interrupted or display.count else 0
    if interrupted:
        print(f"llmopt: interrupted; the same command goes on in {one_line(str(folder))}", file=sys.stderr)
    return int(interrupted or failed > 0)


def _may_score_items(suite: Suite) -> bool:
    """Return whether a problem of a suite is scored by items, or is one that asks a model, which only a build tells."""
    return any(
        asks_model(group.problem) or isinstance(group.build(settings), ItemProblem)
        for group in suite.groups
        for settings in group.settings
    )


@contextmanager
def _crew(models: Models, workers: int, scheduler: str | None) -> Iterator[Crew]:
    """Yield who does the runs, with the models that are open."""
    if scheduler is None and workers == 1:
        yield Here(models)
        return
    # All processes of this machine share a local model.
    shared = {spec: llm for spec, llm in models.opened.items() if spec.partition(":")[0] == _LOCAL}
    if scheduler is None:
        from llmopt.benchmarks.processes import Processes

        yield Processes(workers, shared)
    else:
        from llmopt.benchmarks.cluster import Cluster
        from llmopt.integrations.dask import cluster

        with cluster(scheduler) as client:
            yield Cluster(client, shared)


def _is_here(host: str) -> bool:
    """Return whether a scheduler on a host, and so its workers, can reach what listens on this machine alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Lines:
    """Shows runs as they end, at most one line a second on stderr."""

    def __init__(self, bench: Bench, *, quiet: bool) -> None:
        self.count = 0
        self._failed = 0
        self._total = bench.count
        self._quiet = quiet
        self._shown = -_SECONDS_BETWEEN_LINES

    def watch(self, cell: Cell, record: Record) -> None:
        self.count += 1
        failed = record.stop_reason == "error"
        self._failed += failed
        now = time.monotonic()
        if self._quiet or not (failed or now - self._shown >= _SECONDS_BETWEEN_LINES):
            return
        self._shown = now
        line = f"{self.count:,} of {self._total:,}  {cell.name}, repeat {cell.repeat + 1}: {outcome(record)}"
        print(one_line(line), file=sys.stderr, flush=True)

    def end(self, already: int) -> None:
        if not self._quiet:
            failed = f", {self._failed:,} of them failed" if self._failed else ""
            there = f"; {already:,} were done already" if already else ""
            print(f"{self.count:,} runs done{failed}{there}", file=sys.stderr)


def _show(folder: Path, *, as_json: bool, quiet: bool) -> int:
    """Write the tables of a folder and print them, and why runs failed; return how many did."""
    from llmopt.cli.table import print_table
    from llmopt.report.page import plain
    from llmopt.report.table import markdown

    results = Results.read(folder)
    tables = plain.tables(results)
    _write(folder / "runs.csv", plain.csv(results))
    _write(folder / "summary.md", "\n".join(map(markdown, tables)))
    _write(folder / "meta.json", json.dumps(results.meta, indent=2) + "\n")
    if as_json:
        print(json.dumps(_document(results), indent=2, allow_nan=False))
    else:
        for table in tables[:1] if len(results.problems) > _MOST_TABLES else tables:
            print_table(table)
            print()
    if not quiet:
        print(
            f"written to {one_line(str(folder))}; llmopt report {one_line(str(folder))} makes a page", file=sys.stderr
        )
    records = (trace.record for trace in results.traces)
    failures = Counter(record.message for record in records if record.stop_reason == "error")
    for message, count in failures.most_common():
        print(one_line(f"llmopt: {count:,} {'run' if count == 1 else 'runs'} failed: {message}"), file=sys.stderr)
    return failures.total()


_MOST_TABLES = 12
"""Problems whose tables are all printed; of more, the one of all together is."""


def _document(results: Results) -> dict[str, Any]:
    return {
        "suite": {
            "name": results.name,
            "description": results.description,
            "smoke": results.smoke,
            "planned": results.planned,
        },
        "runs": [
            {**trace.record.as_json(), "settings": trace.run.identity["asked"].get("settings", {})}
            for trace in results.traces
        ],
    }


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}; the log is whole") from None


def _meta(bench: Bench) -> dict[str, Any]:
    """Return what is needed to run the suite again, nothing that belongs to this machine."""
    return {
        **origin(),
        "suite": bench.suite.name,
        "smoke": bench.suite.smoke,
        "llm": portable(bench.llm) if bench.suite.needs_model() else None,
    }
