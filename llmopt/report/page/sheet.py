"""A table of :mod:`llmopt.report.table` as HTML that can be sorted."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from llmopt.report.page.markup import Markup, element, escaped, joined
from llmopt.report.table import Table

_NUMBER = re.compile(r"[-+]?\d[\d,]*\.?\d*(?:e[-+]?\d+)?")
_SHARE = re.compile(r"(\d+)/(\d+)")


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
    key = sort_key(text) if number else None
    attributes = {"class_": _classes(number, published), "data_key": None if key is None else f"{key:.17g}"}
    return element("td", shown, **attributes) if j else element("th", shown, scope="row", **attributes)


def _classes(number: bool, published: bool) -> str | None:
    return " ".join([*(["number"] if number else []), *(["published"] if published else [])]) or None


def sort_key(text: str) -> float | None:
    """Return the number by which a cell is sorted: the first one in it, of a share its value; None where there is none.

    Examples
    --------
    >>> [sort_key(text) for text in (">= 1,234.5 (7.0)", "3/4", "$1.5e-07", "-")]
    [1234.5, 0.75, 1.5e-07, None]
    """
    if share := _SHARE.match(text):
        return int(share[1]) / max(int(share[2]), 1)
    found = _NUMBER.search(text)
    return None if found is None else float(found[0].replace(",", ""))
