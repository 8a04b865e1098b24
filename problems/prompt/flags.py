"""What makes an instruction suspect."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ADDRESS = re.compile(r"(?:https?://|www\.\w)[^\s,;]*|\b[\w-]+\.(?:com|org|net|io|ai|edu|gov)\b", re.IGNORECASE)


def flags(instruction: str, answers: Iterable[str]) -> list[str]:
    """Return one sentence for each thing that should be looked at before an instruction is used.

    Parameters
    ----------
    instruction
        What was found.
    answers
        The answers of training examples that an instruction has no reason to name; labels that every example is
        answered with, such as yes and no, are for the caller to leave out.

    Examples
    --------
    >>> flags("See www.example.org, it is 42.", ["42", "7"])
    ['it holds an address: www.example.org', 'it holds the answer of a training example: 42']
    """
    found = []
    if (address := _ADDRESS.search(instruction)) is not None:
        found.append(f"it holds an address: {address[0][:80]}")
    words = _words(instruction)
    for answer in dict.fromkeys(answers):
        wanted = _words(answer)
        if wanted and any(words[i : i + len(wanted)] == wanted for i in range(len(words) - len(wanted) + 1)):
            found.append(f"it holds the answer of a training example: {answer[:80]}")
            break
    return found


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+|[^\w\s]", text.casefold())
