"""``llmopt models pull``."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from llmopt.cli import pulling
from llmopt.llm import catalog, download
from llmopt.llm.catalog import Weights
from support.commands import Command, Here
from support.file_server import Answer, FileServer

CONTENT = b"GGUF" + bytes(range(256)) * 4000


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A hub with the one model of the catalog, and an empty cache."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("LLMOPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(download, "_ATTEMPTS", 1)
    with FileServer(CONTENT) as server:
        digest = hashlib.sha256(CONTENT).hexdigest()
        tiny = Weights("tiny", "tiny.gguf", digest, len(CONTENT), "Free", "a test", "nothing", url=server.url)
        tiny = Weights(**{**tiny.__dict__, "terms": "https://example.org/free"})
        monkeypatch.setattr(catalog, "CATALOG", (tiny,))
        yield server


def test_plain_lines_where_stderr_is_no_terminal(here: Here, server: FileServer, tmp_path: Path) -> None:
    code, out, error = here("models", "pull", "tiny")
    path = tmp_path / "cache" / "models" / "tiny.gguf"
    assert code == 0
    assert out == f"local:tiny is in {path}\n"
    assert error.splitlines() == [
        "tiny, 1 MB, licence: Free (https://example.org/free)",
        "from the model hub 127.0.0.1",
    ]
    assert path.read_bytes() == CONTENT


def test_the_licence_is_shown_before_anything_is_asked_for(here: Here, server: FileServer) -> None:
    server.plan = [Answer(404)]
    code, out, error = here("models", "pull", "tiny")
    assert (code, out) == (1, "")
    lines = error.splitlines()
    assert lines[0] == "tiny, 1 MB, licence: Free (https://example.org/free)"
    assert lines[-1] == (
        "llmopt: cannot get the weights of tiny; the model hub 127.0.0.1: the server answered 404 Not Found"
    )


def test_lines_every_now_and_then(here: Here, server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "_SECONDS_BETWEEN_LINES", 0.0)
    assert "1 of 1 MB (100%)" in here("models", "pull", "tiny")[2].splitlines()


def test_json_and_quiet(here: Here, server: FileServer, tmp_path: Path) -> None:
    code, out, error = here("models", "pull", "tiny", "--json", "--quiet")
    assert (code, error) == (0, "")
    assert json.loads(out) == {
        "name": "tiny",
        "spec": "local:tiny",
        "path": str(tmp_path / "cache" / "models" / "tiny.gguf"),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "licence": "Free",
    }


def test_an_unknown_name_is_bad_input(llmopt: Command) -> None:
    done = llmopt("models", "pull", "gpt-9")
    assert done.returncode == 2
    assert done.stderr.startswith("llmopt: unknown local model 'gpt-9': ")
    assert done.stderr.count("\n") == 1


def test_a_bar_on_a_terminal(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert isinstance(pulling.display(catalog.CATALOG[0], quiet=False), pulling.Bar)
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    with pulling.Bar(catalog.CATALOG[0], console) as bar:
        bar.note("a note with [brackets]\x1b[2J")
        bar.progress(len(CONTENT) // 2)
    assert "a note with [brackets]\\x1b[2J" in screen.getvalue()
    assert "0.5/1.0 MB" in screen.getvalue()
