"""The page: one HTML file that holds everything, and asks nobody for anything."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from llmopt.benchmarks.results import Results
from llmopt.report.canvas import short
from llmopt.report.page import embed
from llmopt.report.page.environment import environment
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
    from plotly.offline import get_plotlyjs

    own = files("llmopt.report.page")
    scripts = [get_plotlyjs(), own.joinpath("page.js").read_text(encoding="utf-8")]
    body = _body(results, reader)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=embed.policy(scripts)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{short(results.name, 100)} - llmopt report"),
        element("style", Markup(own.joinpath("style.css").read_text(encoding="utf-8"))),
    )
    page = element("html", head, element("body", body, *map(embed.script, scripts)), lang="en")
    return f"<!DOCTYPE html>\n{page}\n"


def _body(results: Results, reader: LogReader) -> Markup:
    shelf = Shelf(results, reader, styles(results))
    problems = parts(results)
    add_pages(shelf)
    first = overview(problems, shelf)
    sections = [problem_section(part, shelf, alone=len(problems) == 1) for part in problems]
    origin = element(
        "section", element("h2", "Environment", id="environment"), environment(results), aria_labelledby="environment"
    )
    # Last: what was damaged is known when everything has been read.
    notices = _notices(results, reader)
    return joined(
        [
            element("a", "Skip to the results", href="#main", class_="skip"),
            _header(results, problems),
            element(
                "main",
                element("div", notices, first, *sections, origin, id="all"),
                element("article", id="run", hidden=True),
                id="main",
                tabindex=-1,
            ),
            *shelf.blocks,
        ]
    )


def _header(results: Results, problems: Sequence[Part]) -> Markup:
    evaluations = sum(len(trace.losses) for trace in results.traces)
    counts = [
        (len(problems), "problem"),
        (len(results.solvers), "solver"),
        (len(results.traces), "run"),
        (evaluations, "evaluation"),
    ]
    facts = joined([f"{count:,} {word}{'' if count == 1 else 's'}" for count, word in counts], " \u00b7 ")
    links = [("summary", "Summary"), *((f"problem-{part.number}", part.name) for part in problems[:_NAMED])]
    links.append(("environment", "Environment"))
    more = element("li", f"and {len(problems) - _NAMED:,} more problems") if len(problems) > _NAMED else None
    return element(
        "header",
        element("p", "llmopt report", class_="kind"),
        element("h1", results.name, *([element("span", "smoke", class_="badge")] if results.smoke else [])),
        element("p", results.description) if results.description else None,
        element("p", facts, class_="facts"),
        element(
            "nav",
            element(
                "ul", *(element("li", element("a", short(text, 60), href=f"#{name}")) for name, text in links), more
            ),
            aria_label="Contents",
        ),
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
    notices = [element("p", sentence, class_="notice") for sentence in sentences]
    return joined([*notices, element("noscript", element("p", _WITHOUT_SCRIPTS, class_="notice"))])


_WITHOUT_SCRIPTS = "Scripts are off: tables and pictures are here, plots and the pages of the runs are not."
