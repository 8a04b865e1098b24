"""Several pairs of models: checked before any is paid, ended together, and gone on with."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.commands import Here, environment
from support.fault_server import FaultServer
from support.instruction_server import reply, serving

COMMAND = ("compare", "prompt", "dataset=own.jsonl", "train=12", "validation=4", "test=8", "start=answer well",
           "--solvers", "opro", "--repeats", "1", "--max-evaluations", "2", "--full-evaluation", "--cache", "off",
           "--llm", "openai:writer")  # fmt: skip
BOTH = "scorer=openai:scorer,openai:other"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY_FILE", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with serving(tmp_path, monkeypatch) as server:
        yield server


def asked(server: FaultServer, model: str) -> int:
    return sum(body["model"] == model for body in server.bodies)


def scorers(document: dict[str, Any]) -> list[str]:
    return [run["scorer"].split("@")[0] for run in document["runs"]]


def interrupted(folder: Path, until: Callable[[], bool], *arguments: str) -> tuple[str, str]:
    """Run the command in a process of its own, press Ctrl-C when something is so, and return what it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "llmopt.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=environment(),
    )
    end = time.monotonic() + 30
    while not until() and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=30)
    assert process.returncode == 1 and "Traceback" not in error
    return out, error


def test_ctrl_c_ends_all_pairs_and_the_same_command_goes_on(here: Here, server: FaultServer, tmp_path: Path) -> None:
    command = (*COMMAND, "scorer=openai:scorer,openai:other,openai:third", "--out", "pairs", "--json", "--quiet")
    server.delay = 0.03
    out, error = interrupted(tmp_path, lambda: asked(server, "other") >= 3, *command)
    document = json.loads(out)
    assert scorers(document) == ["openai:scorer", "openai:other"]
    assert [run["stop_reason"] for run in document["runs"]] == ["evaluations", "interrupted"]
    assert error.endswith("llmopt: interrupted; 1 of 3 pairs were done; the same command goes on in pairs\n")
    assert asked(server, "third") == 0
    server.delay = 0
    first = asked(server, "scorer")
    code, out, _ = here(*command)
    document = json.loads(out)
    assert code == 0 and scorers(document) == ["openai:scorer", "openai:other", "openai:third"]
    assert {run["test_accuracy"] for run in document["runs"]} == {1.0}
    assert asked(server, "scorer") == first
    before = len(server.bodies)
    assert json.loads(here(*command)[1])["runs"] == document["runs"] and len(server.bodies) == before


def test_what_is_not_the_same_command_does_not_go_on(here: Here, server: FaultServer) -> None:
    command = (*COMMAND, "--out", "pairs", "--quiet")
    assert here(*command, BOTH)[0] == 0
    before = len(server.bodies)
    for other in (("scorer=openai:other,openai:scorer",), (BOTH, "--seed", "3"), (BOTH, "position=Q_end")):
        code, out, error = here(*command, *other)
        assert (code, out) == (2, "") and "holds what another command began (other " in error
    assert len(server.bodies) == before
    assert here(*command, BOTH, "--overwrite")[0] == 0
    assert len(server.bodies) > before


def test_more_budget_is_for_all_pairs(here: Here, server: FaultServer) -> None:
    command = [*COMMAND, BOTH, "--out", "pairs", "--json", "--quiet"]
    assert here(*command)[0] == 0
    command[command.index("--max-evaluations") + 1] = "3"
    assert [run["unique_pairs"] for run in json.loads(here(*command)[1])["runs"]] == [3, 3]


def test_the_folder_of_pairs_says_how_it_goes_on(here: Here, server: FaultServer, monkeypatch: Any) -> None:
    monkeypatch.setattr(sys, "argv", ["llmopt", *COMMAND, BOTH, "--out", "pairs"])
    assert here(*COMMAND, BOTH, "--out", "pairs", "--quiet")[0] == 0
    code, _, error = here("resume", "pairs")
    assert code == 2 and "the command that began them goes on: llmopt compare prompt " in error
    code, _, error = here("report", "pairs")
    assert code == 2 and "is not the folder of a run" in error and "pair-1, pair-2" in error
    assert [run["folder"] for run in json.loads(here("runs", "pairs", "--json")[1])["runs"]] == [
        "pairs/pair-1",
        "pairs/pair-2",
    ]


def test_all_pairs_are_checked_before_the_first_is_paid(here: Here, server: FaultServer) -> None:
    code, out, error = here(*COMMAND, "scorer=openai:scorer,anthropic:claude-haiku-4-5", "--json", "--quiet")
    assert (code, out) == (2, "") and "ANTHROPIC_API_KEY" in error
    assert server.bodies == []


@pytest.mark.parametrize("form", ["json", "table"])
def test_what_was_done_is_shown_where_a_later_pair_fails(
    here: Here, server: FaultServer, tmp_path: Path, form: str
) -> None:
    def losing_the_data(body: dict[str, Any], number: int) -> str:
        (tmp_path / "own.jsonl").unlink(missing_ok=True)
        return reply(body, number)

    server.reply = losing_the_data
    code, out, error = here(*COMMAND, BOTH, "--quiet", *(["--json"] if form == "json" else []))
    assert code == 1
    assert "llmopt: openai:writer writes, openai:other answers: " in error and "1 of 2 pairs were done" in error
    if form == "table":
        assert "every pair of models" in out
        return
    document = json.loads(out)
    assert scorers(document) == ["openai:scorer"]
    [failed] = document["failed"]
    assert failed["scorer"] == "openai:other" and "own.jsonl" in failed["message"]


def test_what_pairs_transfer_is_in_their_document(here: Here, server: FaultServer) -> None:
    code, out, _ = here(*COMMAND, BOTH, "--transfer", "scorer=openai:third", "--json", "--quiet")
    rows = json.loads(out)["transfer"]
    assert code == 0 and [row["test_accuracy"] for row in rows] == [1.0, 1.0]
    assert [row["scorer"].split("@")[0] for row in rows] == ["openai:scorer", "openai:other"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_person_is_asked_once_for_all_pairs(here: Here, server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    code, _, error = here(*COMMAND, BOTH, "--quiet")
    assert code == 0 and error.count("go on? [y/N]") == 1
    # The writer writes for both, each scorer answers for one.
    assert "about 2 replies of openai:writer" in error
    assert all(f"at most 68 scorer calls (openai:{model}@" in error for model in ("scorer", "other"))
    before = len(server.bodies)
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    code, _, error = here(*COMMAND, BOTH, "--quiet")
    assert code == 2 and len(server.bodies) == before


def test_nobody_is_asked_about_what_is_done(here: Here, server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    command = (*COMMAND, BOTH, "--transfer", "scorer=openai:third", "--out", "pairs")
    assert here(*command)[0] == 0
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    code, _, error = here(*command)
    assert code == 0 and "scorer calls" not in error
