"""What is read from a model file without llama.cpp."""

from __future__ import annotations

import struct
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmopt.llm import gguf

KEY = struct.pack("<Q", 23) + b"tokenizer.chat_template"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.binary(max_size=200), after=st.binary(max_size=200), template=st.booleans())
def test_a_chat_template_is_found_wherever_it_is(tmp_path: Path, before: bytes, after: bytes, template: bool) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + before + (KEY if template else b"") + after)
    assert gguf.has_chat_template(path) is template


def test_the_words_in_a_text_are_not_a_chat_template(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + b"this model has no tokenizer.chat_template")
    assert not gguf.has_chat_template(path)


def test_two_files_of_one_name_and_size_are_told_apart(tmp_path: Path) -> None:
    sums = set()
    for content in (b"GGUF one", b"GGUF two"):
        path = tmp_path / "model.gguf"
        path.write_bytes(content)
        sums.add(gguf.checksum(path))
    assert len(sums) == 2 and all(len(digest) == 64 for digest in sums)
