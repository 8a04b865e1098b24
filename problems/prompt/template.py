"""Where an instruction stands in what the scorer reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from llmopt.errors import InvalidInput
from llmopt.llm.base import Message

Position = Literal["Q_begin", "Q_end", "A_begin", "system"]
POSITIONS: tuple[Position, ...] = get_args(Position)

_PLACEHOLDER = re.compile(r"\{(instruction|input)\}")
_TEXTS: dict[Position, str] = {
    "Q_begin": "{instruction}\nQ: {input}\nA:",
    "Q_end": "Q: {input}\n{instruction}\nA:",
    "A_begin": "Q: {input}\nA: {instruction}",
    "system": "{input}",
}


@dataclass(frozen=True)
class Template:
    """A text with the placeholders ``{instruction}`` and ``{input}``, and perhaps a system message before it.

    Placeholders are filled in one pass: braces in an instruction or an example stay as they are. A line that held
    nothing but an empty instruction is left out.

    Parameters
    ----------
    text
        What a model is told as the user's message, or what a base model continues.
    system
        The system message; empty: there is none.

    Examples
    --------
    >>> Template.at("Q_begin").text
    '{instruction}\\nQ: {input}\\nA:'
    >>> Template("Q: {input}\\n{instruction}\\nA:").filled("Think of {input}.", "1 + 1 =")
    'Q: 1 + 1 =\\nThink of {input}.\\nA:'
    """

    text: str
    system: str = ""

    def __post_init__(self) -> None:
        found = _PLACEHOLDER.findall(self.system + self.text)
        if found.count("instruction") != 1 or "input" not in found:
            raise InvalidInput(
                f"the template {self.text[:60]!r} must hold {{instruction}} once and {{input}} at least once"
            )

    @classmethod
    def at(cls, position: Position) -> Template:
        """Return the template of one of the paper's positions (section 5.1), or of the system message."""
        if position not in POSITIONS:
            raise InvalidInput(f"position={position} is not legal; choose one of {', '.join(POSITIONS)}")
        return cls(_TEXTS[position], "{instruction}" if position == "system" else "")

    @classmethod
    def read(cls, path: Path) -> Template:
        """Return the template in a file of the user's own."""
        try:
            return cls(path.read_text(encoding="utf-8-sig").strip("\n"))
        except FileNotFoundError:
            raise InvalidInput(
                f"template={path}: there is no such file; give a text with {{instruction}} and {{input}}"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise InvalidInput(f"template={path}: cannot be read: {reason}") from None

    def messages(self, instruction: str, question: str) -> tuple[Message, ...]:
        """Return the conversation that asks a chat model one question."""
        system = _fill(self.system, instruction, question)
        before = (Message("system", system, len(system)),) if system else ()
        text = _fill(self.text, instruction, question)
        # What does not change from question to question, or from instruction to instruction, is read once. Without
        # the line of an empty instruction, the text may end before its beginning does.
        return (*before, Message("user", text, min(len(text), len(self.beginning(instruction, question)))))

    def filled(self, instruction: str, question: str) -> str:
        """Return the text that a base model continues."""
        parts = [_fill(part, instruction, question) for part in (self.system, self.text)]
        return "\n\n".join(part for part in parts if part)

    def beginning(self, instruction: str, question: str) -> str:
        """Return the text up to the second placeholder, which stays the same while the first one's content does."""
        places = list(_PLACEHOLDER.finditer(self.text))
        return _fill(self.text[: places[1].start()] if len(places) > 1 else "", instruction, question)

    @property
    def instruction_first(self) -> bool:
        """Whether the instruction comes before the question."""
        return str(_PLACEHOLDER.findall(self.system + self.text)[0]) == "instruction"

    def around(self, question: str) -> tuple[str, str]:
        """Return what stands before and after the instruction when a question is asked."""
        whole = f"{self.system}\n\n{self.text}" if self.system else self.text
        before, after = whole.split("{instruction}")
        return _fill(before, "", question), _fill(after, "", question)


def _fill(text: str, instruction: str, question: str) -> str:
    values = {"instruction": instruction, "input": question}
    if not instruction:
        text = re.sub(r"^\{instruction\}\n|\n\{instruction\}$", "", text, flags=re.MULTILINE)
    return _PLACEHOLDER.sub(lambda place: values[place[1]], text)
