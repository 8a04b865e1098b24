"""Scripts, data and pictures inside a page, and the policy that lets nothing else run."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Sequence
from typing import Any

from llmopt.report.page.markup import Markup, element

# JSON has them in texts only, where an escape means the same: no tag and no line of JavaScript can end inside.
_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
# The same on every machine; a higher one takes twice the time for a hundredth of the size.
_LEVEL = 6


def as_json(value: Any) -> str:
    """Return JSON that is safe between the tags of a page.

    Examples
    --------
    >>> as_json({"a": "</script>"})
    '{"a":"\\\\u003c/script\\\\u003e"}'
    """
    return json.dumps(value, separators=(",", ":"), allow_nan=False).translate(_ESCAPES)


def data(name: str, value: Any) -> Markup:
    """Return a block of data that the page's script finds by its name."""
    return element("script", Markup(as_json(value)), type="application/json", id=name)


def packed(value: Any) -> str:
    """Return a value as compressed JSON in Base64: prompts that repeat each other take hardly any room."""
    return base64.b64encode(zlib.compress(as_json(value).encode(), _LEVEL)).decode()


def packed_data(name: str, text: str) -> Markup:
    """Return a block of what :func:`packed` made."""
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
