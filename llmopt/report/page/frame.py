"""What every page is set in: its head with the policy, its header, and its scripts."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files

from llmopt.report.canvas import short
from llmopt.report.page import embed
from llmopt.report.page.markup import Markup, element, joined


def frame(title: str, header: Markup, sections: Markup, data: Iterable[Markup] = (), *, plots: bool) -> str:
    """Return a page.

    Parameters
    ----------
    title
        Of its window.
    header, sections
        What is shown.
    data
        Blocks for its script.
    plots
        Whether there are any; what draws them is larger than all the rest.
    """
    own = files("llmopt.report.page")
    scripts = [own.joinpath("page.js").read_text(encoding="utf-8")]
    if plots:
        from plotly.offline import get_plotlyjs

        scripts.insert(0, get_plotlyjs())
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=embed.policy(scripts)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{short(title, 100)} - llmopt report"),
        element("style", Markup(own.joinpath("style.css").read_text(encoding="utf-8"))),
    )
    main = element(
        "main",
        element("div", sections, id="all"),
        element("article", id="run", hidden=True),
        id="main",
        tabindex=-1,
    )
    skip = element("a", "Skip to the results", href="#main", class_="skip")
    body = element("body", skip, header, main, *data, *map(embed.script, scripts))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def top(
    title: str,
    facts: Iterable[str],
    links: Iterable[tuple[str, str]],
    *,
    badge: str | None = None,
    description: str = "",
    more: str | None = None,
) -> Markup:
    """Return the header of a page.

    Parameters
    ----------
    title, badge, description
        What it is about.
    facts
        How much there is of what.
    links
        Names and headings of its sections.
    more
        What is said of sections that have no link.
    """
    items = [element("li", element("a", short(text, 60), href=f"#{name}")) for name, text in links]
    return element(
        "header",
        element("p", "llmopt report", class_="kind"),
        element("h1", title, None if badge is None else element("span", badge, class_="badge")),
        element("p", description) if description else None,
        element("p", joined(facts, " \u00b7 "), class_="facts"),
        element("nav", element("ul", *items, element("li", more) if more else None), aria_label="Contents"),
    )


def counted(count: int, word: str) -> str:
    """Return how many there are.

    Examples
    --------
    >>> counted(1, "run"), counted(2_000, "run")
    ('1 run', '2,000 runs')
    """
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def notices(sentences: Iterable[str]) -> Markup:
    """Return what a reader has to know before anything else."""
    return joined([element("p", sentence, class_="notice") for sentence in sentences])
