"""HTML that escapes by construction: a text is data unless its type says that it is markup."""

from __future__ import annotations

import html
from collections.abc import Iterable

from llmopt.report.safe import lines

_VOID = frozenset({"br", "col", "img", "link", "meta"})


class Markup(str):
    """A text that is HTML already. Only this module and :mod:`llmopt.report.page.embed` make it from data."""

    __slots__ = ()


Attribute = str | int | bool | None


def escaped(text: str) -> Markup:
    """Return a text for a page: what HTML, a terminal or an eye would take for something else is written out.

    Examples
    --------
    >>> escaped("<b> & \\x1b")
    '&lt;b&gt; &amp; \\\\x1b'
    """
    return Markup(html.escape(lines(text)))


def joined(parts: Iterable[str | None], between: str = "") -> Markup:
    """Return parts one after the other, texts escaped, those that are None left out."""
    return Markup(between.join(part if isinstance(part, Markup) else escaped(part) for part in parts if part))


def element(name: str, /, *children: str | None, **attributes: Attribute) -> Markup:
    """Return an element of a page.

    Parameters
    ----------
    name
        Its tag.
    children
        Markup as it is, other texts escaped; None for nothing.
    attributes
        Their names with ``_`` for ``-``, and one more where Python has the word itself. True for one without a value,
        None and False for none.

    Examples
    --------
    >>> element("p", "1 < 2", class_="note", hidden=True)
    '<p class="note" hidden>1 &lt; 2</p>'
    """
    named = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    words = [
        f" {key}" if value is True else f' {key}="{escaped(str(value))}"'
        for key, value in named
        if value is not None and value is not False
    ]
    opening = f"<{name}{''.join(words)}>"
    return Markup(opening if name in _VOID else f"{opening}{joined(children)}</{name}>")
