"""Scripts, data and pictures inside a page, and the policy that lets nothing else run."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Sequence
from typing import Any

from llmopt.report.page.markup import Markup, element

# The same on every machine; a higher one takes twice the time for a hundredth of the size.
_LEVEL = 6


def packed(value: Any) -> str:
    """Return a value as compressed JSON in Base64: prompts that repeat each other take hardly any room.

    No character of it means anything to HTML, whatever the value holds.
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode(), _LEVEL)).decode()


def data(name: str, text: str) -> Markup:
    """Return a block of what :func:`packed` made, which the page's script finds by its name."""
    return element("script", Markup(text), type="application/octet-stream", id=name)


def script(code: str) -> Markup:
    """Return a script of our own.

    Raises
    ------
    ValueError
        It would end before its end.
    """
    if "</script" in code.lower() or "<!--" in code:
        raise ValueError("a script that holds the end of a script cannot be embedded")
    return element("script", Markup(code))


def policy(scripts: Sequence[str]) -> str:
    """Return a content security policy under which these scripts run and nothing else does, without any network.

    Styles are not restricted: Plotly writes some, and with no address to load from they can do no harm.
    """
    hashes = [base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() for code in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def picture(png: bytes) -> str:
    """Return the address of a picture that is in the page itself."""
    return "data:image/png;base64," + base64.b64encode(png).decode()
