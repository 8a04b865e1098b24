"""Files of public data sets, from wherever they can be had: a folder of the user's, the cache, or their home."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llmopt.errors import InvalidInput
from llmopt.llm.download import SourceError, download
from llmopt.llm.store import Damaged, StoredFile
from llmopt.user_cache import user_cache

VARIABLE = "LLMOPT_DATA"
"""The environment variable that names a folder of data sets."""


@dataclass(frozen=True)
class PublicFile:
    """A file that anyone can have.

    Parameters
    ----------
    path
        Below a folder of data sets, such as ``bbh/navigate.json``.
    size, sha256
        Of its content; the size in bytes.
    """

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Source:
    """Where the files of the public data sets are downloaded from, at a fixed version of each.

    Parameters
    ----------
    gsm8k, bbh
        The address of the folder that holds the files.
    """

    gsm8k: str = (
        "https://raw.githubusercontent.com/openai/grade-school-math/3101c7d5072418e28b9008a6636bde82a006892c/"
        "grade_school_math/data"
    )
    bbh: str = (
        "https://raw.githubusercontent.com/suzgunmirac/BIG-Bench-Hard/9ee07bd481feebf959a6b59d61ea57bdcf30964d/bbh"
    )

    def url(self, file: PublicFile) -> str:
        """Return the address of a file."""
        collection, _, name = file.path.partition("/")
        homes = {"gsm8k": self.gsm8k, "bbh": self.bbh}
        return f"{homes[collection].rstrip('/')}/{name}"


PUBLIC = Source()


def locate(files: Sequence[PublicFile], data: Path | None = None, source: Source = PUBLIC) -> list[Path]:
    """Return where the files of a data set are, all in one place; download them if they are nowhere.

    What is in a folder of the user's is taken as it is: the user may have a reason to have another version. What
    is in the cache is what the checksum says.

    Parameters
    ----------
    files
        The files.
    data
        A folder that holds them, or a file that is taken for the first; None: the folder ``$LLMOPT_DATA`` if it
        has them all, else the user's cache.
    source
        Where they are downloaded from.

    Raises
    ------
    InvalidInput
        They are not in the folder that is given, or the cache cannot be written.
    SourceError
        They cannot be downloaded.
    """
    if data is not None:
        if data.is_file():
            return [data]
        # It may be a folder of data sets, or the one of this data set alone.
        found = _within(data, [file.path for file in files])
        found = found or _within(data, [Path(file.path).name for file in files])
        if found is None:
            wanted = " and ".join(file.path for file in files)
            what = f"the folder does not hold {wanted}" if data.is_dir() else "there is no such file or folder"
            raise InvalidInput(f"data={data}: {what}; give a folder that holds {wanted}, or leave data out")
        return found
    named = os.environ.get(VARIABLE)
    if named:
        if not Path(named).is_dir():
            raise InvalidInput(f"{VARIABLE}={named}: there is no such folder; correct it, or unset it")
        found = _within(Path(named), [file.path for file in files])
        if found is not None:
            return found
    return [fetch(file, source) for file in files]


def fetch(file: PublicFile, source: Source = PUBLIC) -> Path:
    """Return the path of a verified file in the user's cache; download it first if it is not there.

    Any number of processes may do this at once: one downloads, the others wait for it.

    Raises
    ------
    InvalidInput
        The cache cannot be written.
    SourceError
        The file cannot be had, or is another than it should be; nothing of it is kept.
    """
    stored = StoredFile(user_cache() / "data" / file.path, file.sha256, file.size)
    if stored.verified():
        return stored.path
    with stored.writing():
        if not stored.verified():
            _download(source.url(file), file, stored)
    return stored.path


def _download(url: str, file: PublicFile, stored: StoredFile) -> None:
    unfinished = stored.beside(".download")
    try:
        download(url, file.size, unfinished)
        stored.adopt(unfinished)
    except Damaged as damaged:
        raise SourceError(f"{url} is another file (SHA-256 {damaged}, not {file.sha256}); {_otherwise(file)}") from None
    except SourceError as error:
        raise SourceError(f"cannot download {url}: {error}; try again with a network, or {_otherwise(file)}") from None
    finally:
        # These files are small: going on with a part of one is not worth what may be wrong with it.
        for rest in (unfinished, stored.beside(".download.json")):
            rest.unlink(missing_ok=True)


def _otherwise(file: PublicFile) -> str:
    return f"get {file.path} elsewhere, and name the folder that holds it by data=FOLDER or {VARIABLE}"


def _within(folder: Path, names: Sequence[str]) -> list[Path] | None:
    paths = [folder / name for name in names]
    return paths if all(path.is_file() for path in paths) else None
