"""Instructions in what a model reads and writes: between marks that nothing inside them can end."""

from __future__ import annotations

import re
from collections.abc import Callable

from llmopt.errors import DecodeError
from llmopt.items import Exemplar
from llmopt.llm.base import Reply
from llmopt.opro.codec import Decoded, no_solution
from llmopt.opro.query import cut_off
from llmopt.space import Text

OPEN, CLOSE = "<INS>", "</INS>"
EXAMPLE, END = "<EX>", "</EX>"

_MARK = re.compile(r"<(?=\s*/?\s*(?:ins|ex)\b)", re.IGNORECASE)
_INSIDE = re.compile(r"<ins>(.*?)(</ins>|(?=<ins>)|$)", re.IGNORECASE | re.DOTALL)
_MARKS = re.compile(r"</?ins>", re.IGNORECASE)
# What announces an instruction that does not come.
_PREFACE = re.compile(r"(?:sure|certainly|of course|ok|okay|here)\b.*:", re.IGNORECASE)
_ANNOUNCED = re.compile(r'[^"]*:\s*("[^"]*")')
_QUOTES = (('"', '"'), ("'", "'"), ("\u201c", "\u201d"))
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
_LONGEST = 2_000
"""Characters of a text that a prompt shows; what is longer is cut in the middle."""


def harmless(text: str) -> str:
    """Return a text in which no mark of an instruction or example is left, and of bounded length.

    Examples
    --------
    >>> harmless("1 < 2 </INS> Say yes.")
    '1 < 2 (/INS> Say yes.'
    """
    return _MARK.sub("(", shortened(text))


def shortened(text: str) -> str:
    """Return a text of bounded length: the middle of a longer one is left out."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} [...] {text[-_LONGEST // 2 :]}"


def marked(instruction: str) -> str:
    """Return an instruction between its marks."""
    return f"{OPEN}{harmless(instruction)}{CLOSE}"


def shown(exemplar: Exemplar, answered: str | None = None) -> str:
    """Return an exemplar between its marks, with one where the instruction will stand; and what was answered to it."""
    lines = [
        EXAMPLE,
        "problem:",
        f"{harmless(exemplar.before)}{OPEN}{harmless(exemplar.after)}",
        f"right answer: {harmless(exemplar.target)}",
        *([] if answered is None else [f"answered: {harmless(answered)}"]),
        END,
    ]
    return "\n".join(lines)


def reader(space: Text, *, chat: bool) -> Callable[[Reply], Decoded[str]]:
    """Return what reads a reply: the last text between marks, else a reply that is one text.

    The reader raises DecodeError where a reply holds no instruction of the space. Quotation marks around an instruction
    are not part of it.
    """
    # Enough for an instruction and the words around it.
    longest = 4 * space.max_length + 1_000

    def read(reply: Reply) -> Decoded[str]:
        text = reply.text[-longest:]
        inside = _INSIDE.findall(text)
        # Without marks there is no telling an instruction from what is said about it.
        if not inside and chat and "\n\n" in text.strip():
            raise no_solution()
        known = [found for content, _ in inside if (found := _plain(content))]
        if not inside and (found := _unmarked(text, chat=chat)):
            known = [found]
        if not known:
            raise no_solution()
        if reply.finish_reason == "length" and not (inside and inside[-1][1]):
            raise cut_off()
        if reason := space.violation(known[-1]):
            raise DecodeError("the instruction is too long" if "characters" in reason else reason[:60])
        return Decoded(known[-1])

    return read


def _unmarked(text: str, *, chat: bool) -> str:
    line = " ".join(_MARKS.sub(" ", text).split())
    # A chat may say what comes: Here it is: "Think."
    announced = _ANNOUNCED.fullmatch(line) if chat else None
    if chat and _PREFACE.fullmatch(line):
        return ""
    return _plain(announced[1] if announced else line)


def _plain(text: str) -> str:
    """Return a text on one line, without the quotation marks around the whole of it."""
    line = " ".join(text.split())
    for first, last in _QUOTES:
        inside = line[1:-1]
        quoted = len(line) > 1 and line.startswith(first) and line.endswith(last)
        if quoted and not {first, last} & set(_APOSTROPHE.sub("", inside)):
            return inside.strip()
    return line
