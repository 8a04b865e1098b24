"""The page on extending keeps its word: each example is short."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
CLASSES = [(node.name, ast.get_source_segment(block, node) or "")
           for block in BLOCKS for node in ast.parse(block).body if isinstance(node, ast.ClassDef)]  # fmt: skip


@pytest.mark.parametrize(("name", "source"), CLASSES, ids=[name for name, _ in CLASSES])
def test_an_example_has_at_most_fifteen_lines(name: str, source: str) -> None:
    assert sum(bool(line.strip()) for line in source.splitlines()) <= 15


def test_there_is_one_of_each_kind() -> None:
    assert [name for name, _ in CLASSES] == ["Fence", "Mixture", "Climber", "Places", "Dice"]
