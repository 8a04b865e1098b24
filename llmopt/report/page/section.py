"""The section of one problem: its table, plots, pictures and runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from llmopt.benchmarks.results import Results, Trace
from llmopt.history import History
from llmopt.report.canvas import short
from llmopt.report.instructions import found_instructions
from llmopt.report.page import embed, gallery
from llmopt.report.page.chart import Figure, Style
from llmopt.report.page.convergence import convergence
from llmopt.report.page.credit import credit
from llmopt.report.page.frame import counted
from llmopt.report.page.gallery import Picture
from llmopt.report.page.index import ROWS, index
from llmopt.report.page.markup import Markup, element, joined
from llmopt.report.page.ranks import diagram, explained
from llmopt.report.page.reach import reach_figures
from llmopt.report.page.reached import reached
from llmopt.report.page.sheet import sheet
from llmopt.report.page.source import Part
from llmopt.report.page.statistics import expected, ranking, sentences
from llmopt.report.page.thin import LIMIT
from llmopt.report.page.trajectory import trajectory
from llmopt.runlog import LogReader

# In bytes: Plotly takes 5 MB of the 20 MB that a page may have, tables and runs the rest.
_PICTURES = 3_000_000
# Characters of a description that is shown at once.
_WORDS = 240
# Of all curves of a page together.
_POINTS = 300_000
_FEWEST = 60
# A table with more rows is folded.
_OPEN = 60
_SWATCH = {"solid": None, "dash": "7 4", "dot": "2 3", "dashdot": "7 3 2 3"}


@dataclass
class Shelf:
    """What the sections of a page share, and the data that they leave for its script.

    Attributes
    ----------
    results, reader, styles
        What is shown, the log, and how each solver is drawn.
    blocks
        Data for the script.
    pages
        Numbers of the runs that have a page.
    pictures, rows
        Bytes of pictures and rows of runs that there is still room for.
    """

    results: Results
    reader: LogReader
    styles: Mapping[str, Style]
    blocks: list[Markup] = field(default_factory=list)
    pages: set[int] = field(default_factory=set)
    pictures: int = _PICTURES
    rows: int = ROWS
    _figures: int = 0

    def plot(self, figure: Figure) -> Markup:
        """Return a plot with its table, and leave its data."""
        self._figures += 1
        name = f"figure-{self._figures}"
        self.blocks.append(embed.data(name, embed.packed(figure.plot)))
        canvas = element("div", class_="plot", data_figure=name, role="img", aria_label=figure.label)
        numbers = None
        if figure.table is not None:
            numbers = element("details", element("summary", "The same in numbers"), sheet(figure.table))
        return element("figure", element("figcaption", figure.title), canvas, numbers)

    @property
    def points(self) -> int:
        """How many points a curve may have: the fewer, the more curves there are."""
        curves = 4 * len(self.styles) * (len(self.results.problems) + 1)
        return max(_FEWEST, min(LIMIT, _POINTS // curves))

    def history(self, trace: Trace) -> History:
        """Return what a run has evaluated."""
        return self.reader.history(trace.run)


def legend(solvers: Sequence[str], styles: Mapping[str, Style]) -> Markup:
    """Return buttons that show and hide solvers in the plots of the same section."""
    buttons = []
    for solver in solvers:
        style = styles[solver]
        line = element(
            "line", x1=1, y1=5, x2=27, y2=5, stroke=style.colour, stroke_width=3, stroke_dasharray=_SWATCH[style.dash]
        )
        swatch = element("svg", line, width=28, height=10, aria_hidden="true")
        name = element("span", short(solver, 60))
        buttons.append(element("button", swatch, name, type="button", aria_pressed="true", data_solver=style.number))
    return element("div", *buttons, class_="legend", role="group", aria_label="Solvers shown in the plots")


def problem_section(part: Part, shelf: Shelf, *, alone: bool) -> Markup:
    """Return the section of a problem; ``alone`` where the page has no other one."""
    name = f"problem-{part.number}"
    told = (trace.run.identity["problem"].get("description") for trace in part.traces)
    description = next((text for text in told if text), None)
    solvers = list(dict.fromkeys(trace.record.solver for trace in part.traces))
    solved = expected(part.traces)
    contributed = credit(part)
    instructions = found_instructions([trace.record for trace in part.traces])
    return element(
        "section",
        element("h2", part.name, id=name),
        _description(str(description)) if description else None,
        None if alone else sheet(part.table),
        None if solved is None else sheet(solved),
        None if contributed is None else sheet(contributed),
        None if instructions is None else sheet(instructions),
        shown_differences(part.traces),
        element("h3", "Plots"),
        legend(solvers, shelf.styles),
        element("div", *map(shelf.plot, _plots(part, shelf, alone=alone)), class_="plots"),
        *_gallery(part, shelf, alone=alone),
        element("h3", "Runs"),
        _runs(part, shelf),
        aria_labelledby=name,
        class_="problem",
    )


def _description(text: str) -> Markup:
    """Return the problem in its own words; folded where it lists all its data."""
    if len(text) <= _WORDS:
        return element("p", text, class_="describes")
    whole = element("p", text, class_="describes")
    return element("details", element("summary", f"{short(text, _WORDS)}"), whole)


def _plots(part: Part, shelf: Shelf, *, alone: bool) -> list[Figure]:
    plots = [
        convergence(part.traces, shelf.styles, shelf.points),
        reached([part], shelf.styles, shelf.points),
        trajectory(part.traces, shelf.styles, shelf.history),
        # Of several problems they are in the overview.
        *(reach_figures(part.traces, shelf.styles, shelf.history) if alone else []),
    ]
    return [plot for plot in plots if plot is not None]


def shown_differences(traces: Sequence[Trace]) -> Markup:
    """Return what the runs show of the differences between solvers, in sentences and ranks; nothing of one solver."""
    found = ranking(traces)
    told = [element("li", sentence) for sentence in sentences(traces, found)]
    return joined(
        [
            element("h3", "What the runs show") if told or found else None,
            element("ul", *told) if told else None,
            None if found is None else element("div", diagram(found), class_="scroll ranked"),
            None if found is None else element("p", explained(found), class_="facts"),
        ]
    )


def _gallery(part: Part, shelf: Shelf, *, alone: bool) -> list[Markup]:
    """Return the pictures under their heading; nothing where the problem has none."""
    # Those in the folder are of its only problem.
    shown = gallery.found(shelf.results.folder, part.traces) if alone else []
    note = None
    if not shown and shelf.pictures > 0 and part.problem is not None:
        shown = gallery.drawn(part.problem, part.traces, shelf.history)
    elif not shown and part.problem is None and gallery.could_be_drawn(part.traces[0]):
        note = "There is no picture: the problem cannot be built anew from its settings."
    elif not shown and shelf.pictures <= 0:
        note = "There is no picture, to keep this page small; a report of this problem alone has it."
    shelf.pictures -= sum(len(picture.png) for picture in shown)
    if not shown and note is None:
        return []
    content = [_picture(picture) for picture in shown] or [element("p", note or "")]
    return [element("h3", "Pictures"), element("div", *content, class_="pictures")]


def _picture(picture: Picture) -> Markup:
    image = element("img", src=embed.picture(picture.png), alt=picture.alt, loading="lazy", decoding="async")
    return element("figure", image, element("figcaption", picture.caption))


def _runs(part: Part, shelf: Shelf) -> Markup:
    listed = part.traces[: shelf.rows]
    shelf.rows -= len(listed)
    table = index(listed, len(part.traces), shelf.pages)
    count = counted(len(part.traces), "run")
    return element("details", element("summary", count), joined([table]), open=len(listed) <= _OPEN)
