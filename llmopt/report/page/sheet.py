"""A table of :mod:`llmopt.report.table` as HTML that can be sorted."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from llmopt.report.page.markup import Markup, element, escaped, joined
from llmopt.report.table import Table

# Longer names of rows are broken into lines.
_WORDY = 40


def sheet(
    table: Table, *, links: Sequence[str | None] = (), published: Collection[int] = (), sortable: bool = True
) -> Markup:
    """Return a table with a caption, headings that sort, and its notes.

    Parameters
    ----------
    table
        What it shows; the first column names the rows.
    links
        Where the name of each row leads to.
    published
        The columns that were not measured here; they are marked.
    sortable
        Whether its headings sort.
    """
    headings = []
    for j, column in enumerate(table.columns):
        name = f"{column.heading} {column.below}".strip()
        mark = element("span", "published", class_="badge") if j in published else None
        label = joined([element("span", name), mark])
        shown = element("button", label, type="button") if sortable else label
        headings.append(element("th", shown, scope="col", class_=_classes(column.number, j in published)))
    rows = [
        element("tr", *(_cell(table, j, cell, links[i] if i < len(links) else None, j in published)
                        for j, cell in enumerate(row)))
        for i, row in enumerate(table.rows)
    ]  # fmt: skip
    grid = element(
        "table",
        element("caption", element("span", table.title)),
        element("thead", element("tr", *headings)),
        element("tbody", *rows),
        class_="sortable" if sortable else None,
    )
    # What scrolls must be reached by the keyboard too.
    scroller = element("div", grid, class_="scroll", tabindex=0, role="region", aria_label=table.title)
    notes = element("ul", *(element("li", note) for note in table.notes), class_="notes") if table.notes else None
    return joined([scroller, notes])


def _cell(table: Table, j: int, text: str, link: str | None, published: bool) -> Markup:
    number = table.columns[j].number
    shown = escaped(text) if link is None or j else element("a", text, href=link)
    if j:
        return element("td", shown, class_=_classes(number, published))
    return element("th", shown, scope="row", class_="wordy" if len(text) > _WORDY else None)


def _classes(number: bool, published: bool) -> str | None:
    return " ".join([*(["number"] if number else []), *(["published"] if published else [])]) or None
