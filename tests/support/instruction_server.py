"""A writer of instructions and a scorer that answers rightly where it is told to answer well, on one server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.fault_server import FaultServer


def reply(body: dict[str, Any], number: int) -> str:
    """Write another instruction, or answer a question."""
    text = "\n".join(message["content"] for message in body["messages"])
    if body["model"] == "writer":
        return f"<INS>answer well {'again ' * (number % 97)}</INS>"
    question = int(re.findall(r"question (\d+)", text)[-1])
    return f"answer {question}" if "well" in text else "?"


@contextmanager
def serving(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    """Serve both models to this process, which finds its questions in ``own.jsonl`` and its cache in a folder."""
    monkeypatch.setenv("LLMOPT_CACHE", str(folder / "cache"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    rows = [{"input": f"question {i}", "target": f"answer {i}"} for i in range(24)]
    (folder / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with FaultServer(reply=reply) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        yield server
