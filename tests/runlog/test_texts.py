"""Texts in a log."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import Int, Vector, minimize
from llmopt.opro import OPRO
from llmopt.runlog import LogReader
from llmopt.runlog.texts import restored, storable, text_digest
from support.models import obedient


@given(st.text(st.characters(categories=["L", "N", "P", "Cs"])))
def test_any_text_comes_back_with_half_characters_too(text: str) -> None:
    assert restored(storable(text)) == text
    assert len(text_digest(text)) == 32


@pytest.mark.parametrize("left", ["NULL", "17", "2.5", "x'00ff'"])
def test_what_is_no_text_any_more_is_damage(left: str, tmp_path: Path) -> None:
    minimize(lambda s: s["x"], Vector(x=Int(-9, 9)), solver=OPRO(obedient()), max_evaluations=12, log=tmp_path)
    with closing(sqlite3.connect(tmp_path / "run.sqlite")) as connection:
        # As if bytes had changed on the disk: SQLite itself would refuse some of these.
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'texts'")
        connection.commit()
    with closing(sqlite3.connect(tmp_path / "run.sqlite")) as connection:
        connection.execute(f"UPDATE texts SET text = {left}")
        connection.commit()
    with LogReader(tmp_path) as reader:
        (run,) = reader.runs()
        reader.requests(run)
        assert reader.damage
