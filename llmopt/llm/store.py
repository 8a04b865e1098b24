"""Large files in a cache folder: there whole and verified, or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import filelock

from llmopt.errors import InvalidInput


class Damaged(Exception):
    """A file's checksum is wrong; the message is the checksum that it has."""


@dataclass(frozen=True)
class StoredFile:
    """One file of a cache, by the content that it must have.

    Any number of processes may want it at once: one, in :meth:`writing`, makes an unfinished file and
    :meth:`adopt` gives it its name; the others wait, and find it.

    Parameters
    ----------
    path
        Where it is, or will be.
    sha256, size
        Of its content; the size in bytes.
    """

    path: Path
    sha256: str
    size: int

    def verified(self) -> bool:
        """Return whether the file is what it should be; hashes it only if it changed since that was last seen."""
        try:
            status = self.path.stat()
            if status.st_size != self.size:
                return False
            with suppress(OSError, ValueError):
                if json.loads(self._stamp.read_text()) == [self.sha256, status.st_mtime_ns]:
                    return True
            if _digest(self.path) != self.sha256:
                return False
        except OSError:
            return False
        self._mark()
        return True

    @contextmanager
    def writing(self, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Be the only process that writes the file; it may have come to be while this one waited.

        Parameters
        ----------
        waiting
            Called once if another process is writing it.

        Raises
        ------
        InvalidInput
            The cache cannot be written, or is full.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self.beside(".lock"))
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:
                waiting()
                lock.acquire()
            try:
                yield
            finally:
                lock.release()
        except OSError as error:
            raise InvalidInput(
                f"cannot write {self.path.name} to the cache folder {self.path.parent} ({error.strerror or error}); "
                f"make room or set LLMOPT_CACHE to another folder"
            ) from None

    def adopt(self, unfinished: Path) -> None:
        """Give an unfinished file beside this one its name, if it is what it should be.

        Raises
        ------
        Damaged
            It is not; it stays where it is.
        OSError
            The disk does not take it.
        """
        digest = _digest(unfinished)
        if digest != self.sha256:
            raise Damaged(digest)
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        unfinished.replace(self.path)
        self._mark()

    def beside(self, suffix: str) -> Path:
        """Return the path of a file that belongs to this one."""
        return self.path.with_name(self.path.name + suffix)

    @property
    def _stamp(self) -> Path:
        return self.beside(".verified")

    def _mark(self) -> None:
        # In a cache that may only be read, the next start hashes again.
        with suppress(OSError):
            self._stamp.write_text(json.dumps([self.sha256, self.path.stat().st_mtime_ns]))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
