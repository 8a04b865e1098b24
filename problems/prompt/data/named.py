"""A data set by its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from llmopt.errors import InvalidInput
from llmopt.problems.prompt.data import bbh, gsm8k
from llmopt.problems.prompt.data.local import aqua, multiarith
from llmopt.problems.prompt.data.own import own_file
from llmopt.problems.prompt.data.public import PUBLIC, Source, locate
from llmopt.problems.prompt.examples import Dataset
from llmopt.settings import unknown_name

_LOCAL: dict[str, Callable[[Path], Dataset]] = {"aqua": aqua, "multiarith": multiarith}


def names() -> list[str]:
    """Return the names that :func:`load` takes."""
    return ["gsm8k", *(f"bbh/{task}" for task in bbh.TASKS), *_LOCAL, "file"]


def load(
    name: str,
    *,
    data: Path | None = None,
    input_column: str | None = None,
    target_column: str | None = None,
    source: Source = PUBLIC,
) -> Dataset:
    """Return a data set.

    ``gsm8k`` and ``bbh/TASK`` are looked for in ``data``, else in the folder ``$LLMOPT_DATA``, else in the user's
    cache; if they are nowhere, they are downloaded into the cache, once. In the cache they are the version with the
    known checksum; in a folder of the user's any version is taken, and ``Dataset.sha256`` tells which.

    Parameters
    ----------
    name
        ``gsm8k``; ``bbh/TASK``; ``aqua`` or ``multiarith``, which need ``data``; ``file`` for an own file; or
        the path of an own file.
    data
        A file, or for public data sets a folder such as one that holds ``gsm8k/train.jsonl`` and
        ``bbh/navigate.json``. A file of GSM8K is read without a test part.
    input_column, target_column
        The columns of an own file; None: they are guessed where only one fits, see :func:`own_file`.
    source
        Where public data sets are downloaded from.

    Raises
    ------
    InvalidInput
        The name is unknown, the file is missing or not of its form, or a setting does not go with the name.
    SourceError
        The data set cannot be downloaded.
    MissingExtra
        It is a Parquet file, and pyarrow is not installed.
    """
    path = _own_path(name, data)
    if path is not None:
        return own_file(path, input_column, target_column)
    if input_column is not None or target_column is not None:
        raise InvalidInput(f"dataset={name}: input_column and target_column are only for own files; leave them out")
    if name in _LOCAL:
        if data is None or data.is_dir():
            raise InvalidInput(f"dataset={name} is read from a local file; give it with data=FILE")
        return _LOCAL[name](data)
    if name == "gsm8k":
        return gsm8k.gsm8k(locate(gsm8k.FILES, data, source))
    task = name.removeprefix("bbh/")
    return bbh.bbh(task, locate([bbh.TASKS[task].file], data, source)[0])


def published_checksum(name: str) -> str:
    """Return what ``Dataset.sha256`` is for the public version of a data set; empty: there is none that is known."""
    if name == "gsm8k":
        return gsm8k.SHA256
    task = bbh.TASKS.get(name.removeprefix("bbh/")) if name.startswith("bbh/") else None
    return task.file.sha256 if task else ""


def _own_path(name: str, data: Path | None) -> Path | None:
    """Return the path of the user's own file; None: the name is that of a data set."""
    if name == "file":
        if data is None:
            raise InvalidInput("dataset=file needs the path of the file; give it with data=FILE")
        return data
    if name in names():
        return None
    path = Path(name)
    if not path.is_file():
        # What looks like a file was meant as one.
        if path.suffix:
            raise InvalidInput(f"dataset={name}: there is no such file; correct the path, or name a data set")
        raise unknown_name("data set", name, names())
    if data is not None:
        raise InvalidInput(f"dataset={name} is a file, and data={data} is given too; leave one of them out")
    return path
