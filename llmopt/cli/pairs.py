"""Several optimizer models and several scorer models: the table of every pair, as in the paper (OPRO, section 5.2)."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmopt.benchmarks.compare import Comparison
from llmopt.benchmarks.execution import Run
from llmopt.benchmarks.record import Record
from llmopt.benchmarks.summary import spread
from llmopt.cli import output
from llmopt.cli.order import Order
from llmopt.cli.session import perform
from llmopt.errors import InvalidInput
from llmopt.report.safe import one_line
from llmopt.report.table import Column, Table

_SCORER = "scorer="


@dataclass(frozen=True)
class Pair:
    """An optimizer and a scorer by their SPECs, and what was asked for with them."""

    llm: str
    scorer: str
    order: Order


def pairs_of(order: Order) -> list[Pair]:
    """Return an order for each pair of ``--llm A,B`` and ``scorer=C,D``; one where neither is a list,
    or no scorer is named.

    Raises
    ------
    InvalidInput
        A list has an empty entry or one twice.
    """
    given = [text for text in order.pairs if text.startswith(_SCORER)]
    if len(given) != 1:
        return [Pair(order.llm, "", order)]
    llms, scorers = _listed("--llm ", order.llm), _listed(_SCORER, given[0].removeprefix(_SCORER))
    found = []
    for number, (llm, scorer) in enumerate(((llm, scorer) for llm in llms for scorer in scorers), 1):
        pairs = tuple(f"{_SCORER}{scorer}" if text in given else text for text in order.pairs)
        # Each has a folder of its own, which resumes by itself.
        out = None if order.out is None else order.out / f"pair-{number}"
        found.append(Pair(llm, scorer, replace(order, llm=llm, pairs=pairs, out=out)))
    return found if len(found) > 1 else [Pair(order.llm, scorers[0], order)]


def perform_pairs(order: Order, *, dry: bool = False) -> int:
    """As :func:`llmopt.cli.session.perform`, for every pair of models; then show what each pair has found."""
    pairs = pairs_of(order)
    if len(pairs) == 1:
        return perform(order, dry=dry)
    if dry:
        raise InvalidInput("--dry-run shows the prompt of one model; name one --llm and one scorer")
    documents: list[dict[str, Any]] = []
    records: list[tuple[Pair, list[Record]]] = []
    code = 0
    for pair in pairs:
        if not order.quiet:
            print(f"llmopt: {one_line(pair.llm)} writes, {one_line(pair.scorer)} answers", file=sys.stderr)

        def collect(
            own: Order,
            comparison: Comparison,
            runs: Sequence[Run],
            transferred: Sequence[Mapping[str, Any]],
            pair: Pair = pair,
        ) -> None:
            records.append((pair, [run.record for run in runs]))
            if order.json:
                documents.append(output.document(comparison, runs, with_solution=order.single))
            else:
                output.show(own, comparison, runs, transferred)
                print()

        code = max(code, perform(pair.order, show=collect))
    if order.json:
        runs = [run for document in documents for run in document["runs"]]
        print(json.dumps({"problem": documents[0]["problem"], "runs": runs}, indent=2, allow_nan=False))
    elif (table := _table(records)) is not None:
        from llmopt.cli.table import print_table

        print_table(table)
    return code


def _listed(name: str, text: str) -> list[str]:
    found = [spec.strip() for spec in text.split(",")]
    if not all(found) or len(set(found)) < len(found):
        raise InvalidInput(f"{name}{text} is not legal; give different models with commas between them")
    return found


def _table(records: Sequence[tuple[Pair, Sequence[Record]]]) -> Table | None:
    rows = []
    for pair, found in records:
        for solver in dict.fromkeys(record.solver for record in found):
            tested = [record for record in found if record.solver == solver and record.test_accuracy is not None]
            if tested:
                rows.append(
                    [
                        one_line(pair.llm),
                        one_line(pair.scorer),
                        one_line(solver),
                        *(_mean(tested, name) for name in ("test_accuracy", "empty_accuracy", "step_accuracy")),
                    ]
                )
    if not rows:
        return None
    columns = [
        Column("optimizer", number=False),
        Column("scorer", number=False),
        Column("solver", number=False),
        Column("test", "right %"),
        Column("no instruction", "test, right %"),
        Column("step by step", "test, right %"),
    ]
    return Table("every pair of models", columns, rows, ["means over the repeats, on the same test examples"])


def _mean(records: Sequence[Record], name: str) -> str:
    found = spread(getattr(record, name) for record in records)
    return "-" if found is None else f"{100 * found.mean:.1f}"
