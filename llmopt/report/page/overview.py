"""The first section: what was measured on all problems together, and beside the paper."""

from __future__ import annotations

from collections.abc import Sequence

from llmopt.report.page.beside import beside
from llmopt.report.page.markup import Markup, element
from llmopt.report.page.reach import reach_figures
from llmopt.report.page.reached import reached
from llmopt.report.page.section import Shelf, legend, shown_differences
from llmopt.report.page.sheet import sheet
from llmopt.report.page.source import Part
from llmopt.report.safe import one_line
from llmopt.report.table import Column, Table


def overview(problems: Sequence[Part], shelf: Shelf) -> Markup:
    """Return the section."""
    compared = beside([(part.name, part.problem, part.summaries) for part in problems])
    return element(
        "section",
        element("h2", "Summary", id="summary"),
        sheet(totals(problems) if len(problems) > 1 else problems[0].table),
        *(sheet(table, published=marked) for table, marked in compared),
        *(_together(problems, shelf) if len(problems) > 1 else []),
        aria_labelledby="summary",
    )


def totals(problems: Sequence[Part]) -> Table:
    """Return how many runs and problems each solver has solved."""
    solvers = dict.fromkeys(summary.solver for part in problems for summary in part.summaries)
    rows = []
    for solver in solvers:
        mine = [summary for part in problems for summary in part.summaries if summary.solver == solver]
        repeats, solved = (sum(getattr(each, name) for each in mine) for name in ("repeats", "successes"))
        tokens = sum(each.repeats * (each.prompt_tokens.mean + each.completion_tokens.mean) for each in mine)
        rows.append(
            [
                one_line(solver),
                mine[0].access,
                f"{sum(each.successes == each.repeats for each in mine)}/{len(mine)}",
                f"{solved}/{repeats}",
                f"{100 * solved / repeats:.0f}",
                f"{tokens:,.0f}" if mine[0].llm else "-",
                f"{sum(each.repeats * each.seconds.mean for each in mine):,.1f}",
            ]
        )
    columns = [
        Column("solver", number=False),
        Column("sees", number=False),
        Column("problems", "always solved"),
        Column("runs", "solved"),
        Column("runs solved", "%"),
        Column("LLM tokens"),
        Column("time", "seconds"),
    ]
    return Table("All problems together", columns, rows, ["tokens and time: of all runs together"])


def _together(problems: Sequence[Part], shelf: Shelf) -> list[Markup]:
    """Return what the runs on all problems show together."""
    figure = reached(problems, shelf.styles, shelf.points)
    if figure is None:
        return []
    figures = [figure, *reach_figures(shelf.results.traces, shelf.styles, shelf.history)]
    return [
        shown_differences(shelf.results.traces),
        element("h3", "Plots"),
        legend(list(shelf.styles), shelf.styles),
        element("div", *map(shelf.plot, figures), class_="plots"),
    ]
