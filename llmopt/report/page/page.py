"""The page: one HTML file that holds everything, and asks nobody for anything."""

from __future__ import annotations

from collections.abc import Sequence

from llmopt.benchmarks.results import Results
from llmopt.report.page.environment import environment
from llmopt.report.page.frame import counted, frame, notices, top
from llmopt.report.page.markup import Markup, element, joined
from llmopt.report.page.overview import overview
from llmopt.report.page.runs import add_pages
from llmopt.report.page.section import Shelf, problem_section
from llmopt.report.page.source import Part, parts, styles
from llmopt.runlog import LogReader

# Problems that the navigation names one by one.
_NAMED = 40


def render(results: Results, reader: LogReader) -> str:
    """Return the page of the results that a log holds.

    Parameters
    ----------
    results
        What was measured.
    reader
        Of the same folder; what it finds damaged on the way is told in the page, and by :attr:`LogReader.damage`.
    """
    shelf = Shelf(results, reader, styles(results))
    problems = parts(results)
    add_pages(shelf)
    first = overview(problems, shelf)
    sections = [problem_section(part, shelf, alone=len(problems) == 1) for part in problems]
    # Last: what was damaged is known when everything has been read.
    told = _notices(results, reader)
    shown = joined([told, first, *sections, environment(results)])
    return frame(results.name, _header(results, problems), shown, shelf.blocks, plots=True)


def _header(results: Results, problems: Sequence[Part]) -> Markup:
    evaluations = sum(len(trace.losses) for trace in results.traces)
    facts = [
        counted(len(problems), "problem"),
        counted(len(results.solvers), "solver"),
        counted(len(results.traces), "run"),
        counted(evaluations, "evaluation"),
    ]
    links = [("summary", "Summary"), *((f"problem-{part.number}", part.name) for part in problems[:_NAMED])]
    return top(
        results.name,
        facts,
        [*links, ("environment", "Environment")],
        badge="smoke" if results.smoke else None,
        description=results.description,
        more=f"and {len(problems) - _NAMED:,} more problems" if len(problems) > _NAMED else None,
    )


def _notices(results: Results, reader: LogReader) -> Markup:
    sentences = []
    if len(results.traces) < results.planned:
        sentences.append(
            f"{len(results.traces):,} of {results.planned:,} planned runs have ended; the others are not in this page."
        )
    if results.smoke:
        sentences.append("This is the small size of the suite: it shows that everything works, not who is better.")
    sentences += [f"The log is damaged: {sentence}." for sentence in reader.damage]
    return joined([notices(sentences), element("noscript", notices([_WITHOUT_SCRIPTS]))])


_WITHOUT_SCRIPTS = "Scripts are off: tables and pictures are here, plots and the pages of the runs are not."
