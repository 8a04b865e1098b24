"""The table of a comparison: plain rows, from which text and Markdown are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmopt.benchmarks.published import REPEATS, SOURCE, TOURS_SOURCE, Published, PublishedTours
from llmopt.benchmarks.summary import Moments, Summary
from llmopt.report.safe import one_line, portable

_MOST_REASONS = 5
"""Different messages of failed runs that a table shows."""


@dataclass(frozen=True)
class Column:
    """A heading in two lines, and whether its cells are numbers."""

    heading: str
    below: str = ""
    number: bool = True


@dataclass(frozen=True)
class Table:
    """Cells under headings, and what they mean."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


def measured(summaries: Sequence[Summary], title: str, *, relative: bool = False) -> Table:
    """Return the table of what was measured; ``relative`` shows the gap in per cent of the optimum."""
    knows_optimum = any(summary.gap is not None for summary in summaries)
    with_model = any(summary.llm for summary in summaries)
    with_cost = any(summary.unpriced or (summary.cost is not None and summary.cost.mean > 0) for summary in summaries)
    with_moves = any(summary.move_evaluations.mean > 0 for summary in summaries)
    gap = Column("gap to", "optimum %") if relative else Column("gap to", "optimum")
    columns = [
        Column("solver", number=False),
        Column("sees", number=False),
        Column("solved", "repeats"),
        Column("evaluations", "until solved"),
        Column("steps", "until solved"),
        Column("unique", "solutions"),
        gap if knows_optimum else Column("best", "score"),
        *([Column("moves", "evaluated")] if with_moves else []),
        *([Column("LLM tokens", "read"), Column("LLM tokens", "written")] if with_model else []),
        *([Column("cost", "dollars")] if with_cost else []),
        Column("time", "seconds"),
    ]
    rows = [_row(summary, knows_optimum, relative, with_moves, with_model, with_cost) for summary in summaries]
    return Table(title, columns, rows, _notes(summaries, knows_optimum))


def paper(rows: Sequence[Published]) -> Table:
    """Return the table of the paper's figures for the same setting."""
    columns = [Column("model", number=False), Column("steps"), Column("unique", "solutions")]
    cells = [
        (row.model, f"{row.steps} ({row.steps_std})", f"{row.unique_pairs} ({row.unique_pairs_std})") for row in rows
    ]
    note = "compare with the columns 'steps' and 'unique'; not measured here"
    return Table(f"published for this setting ({SOURCE}): mean (standard deviation), {REPEATS} repeats", columns, cells,
                 [note])  # fmt: skip


def paper_tours(rows: Sequence[PublishedTours]) -> Table:
    """Return the table of the paper's figures for random tours of the same size."""
    columns = [Column("method", number=False), Column("gap to", "optimum %"), Column("steps"), Column("solved")]
    cells = [
        (
            row.method,
            f"{row.gap} ({row.gap_error})",
            "-" if row.steps is None else str(row.steps),
            "-" if row.solved is None else f"{row.solved}/{REPEATS}",
        )
        for row in rows
    ]
    title = f"published for this size, on other instances ({TOURS_SOURCE}): mean (standard error), {REPEATS} instances"
    return Table(title, columns, cells, ["steps: mean over the instances that were solved; not measured here"])


def markdown(table: Table) -> str:
    """Return a table as Markdown."""
    headings = [f"{column.heading} {column.below}".strip() for column in table.columns]
    rules = ["---:" if column.number else "---" for column in table.columns]
    body = [headings, rules, *([cell.replace("|", "\\|") for cell in row] for row in table.rows)]
    grid = "\n".join(f"| {' | '.join(row)} |" for row in body)
    return "\n\n".join([f"**{table.title}**", grid, *table.notes]) + "\n"


def mean_std(moments: Moments | None, *, bounded: bool = False, decimals: int | None = None) -> str:
    """Return ``mean (standard deviation)`` with equally many decimals, and ``>=`` in front of a lower bound."""
    if moments is None:
        return "-"
    if decimals is None:
        decimals = _decimals(moments.mean)
    text = _number(moments.mean, decimals)
    if moments.std is not None:
        text += f" ({_number(moments.std, decimals)})"
    return f">= {text}" if bounded else text


def _row(
    summary: Summary, knows_optimum: bool, relative: bool, with_moves: bool, with_model: bool, with_cost: bool
) -> list[str]:
    solved = f"{summary.successes}/{summary.repeats}"
    for count, word in ((summary.errors, "failed"), (summary.interrupted, "interrupted")):
        if count:
            solved += f", {count} {word}"
    tokens = [mean_std(summary.prompt_tokens), mean_std(summary.completion_tokens)] if summary.llm else ["-", "-"]
    return [
        one_line(summary.solver),
        summary.access,
        solved,
        mean_std(summary.evaluations, bounded=summary.bounded),
        mean_std(summary.steps, bounded=summary.bounded),
        mean_std(summary.unique_pairs, bounded=summary.bounded),
        _gap(summary, relative) if knows_optimum else mean_std(summary.best_score),
        *([mean_std(summary.move_evaluations)] if with_moves else []),
        *(tokens if with_model else []),
        *([_cost(summary)] if with_cost else []),
        mean_std(summary.seconds, decimals=2 if summary.seconds.mean < 10 else 1),
    ]


def percent(moments: Moments | None, *, decimals: int = 1) -> str:
    """Return mean and standard deviation of shares in per cent."""
    if moments is None:
        return "-"
    std = None if moments.std is None else 100 * moments.std
    return mean_std(Moments(100 * moments.mean, std), decimals=decimals)


def _gap(summary: Summary, relative: bool) -> str:
    if not relative or summary.relative_gap is None:
        return mean_std(summary.gap)
    return percent(summary.relative_gap, decimals=2)


def dollars(value: float) -> str:
    """Return an amount of dollars with the digits that say something."""
    return f"${value:,.2f}" if value >= 1 or value == 0 else f"${value:.2g}"


def _cost(summary: Summary) -> str:
    if not summary.llm:
        return "-"
    return "unknown" if summary.cost is None else dollars(summary.cost.mean)


def _notes(summaries: Sequence[Summary], knows_optimum: bool) -> list[str]:
    notes = [
        "mean (standard deviation, n - 1) over the repeats; evaluations and steps up to and including the one that "
        "reached the target, unique solutions to the end of that step, start points included"
    ]
    if any(summary.bounded for summary in summaries):
        notes.append(
            ">= lower bound: some repeats did not reach the target (the budget ended, or the solver gave up) and enter "
            "with all that they spent"
        )
    sees = "sees: scores = the solver is told scores only"
    if any(summary.access == "structure" for summary in summaries):
        sees += "; structure = it looks into the problem"
    notes.append(sees + ("; gap = best score's distance to the known optimum" if knows_optimum else ""))
    if any(summary.move_evaluations.mean > 0 for summary in summaries):
        notes.append("moves evaluated: changes of a tour whose effect a solver computed from the distances, uncharged")
    models = sorted({portable(summary.llm) for summary in summaries if summary.llm})
    if models:
        notes.append("LLM: " + one_line(", ".join(models)))
    if cached := sum(summary.cached_replies for summary in summaries):
        notes.append(
            f"{cached:,} replies came from the reply cache; nothing was paid for them and no tokens are counted"
        )
    if any(summary.unpriced for summary in summaries):
        notes.append("cost unknown: no price of the model is known; give one with --prices")
    return notes + _failures(summaries)


def _failures(summaries: Sequence[Summary]) -> list[str]:
    """Say why runs failed, each reason with the solvers that it befell."""
    reasons: dict[str, list[str]] = {}
    for summary in summaries:
        for message in summary.failures:
            reasons.setdefault(message, []).append(summary.solver)
    found = [f"failed: {one_line(message)} ({one_line(', '.join(names))})" for message, names in reasons.items()]
    more = len(found) - _MOST_REASONS
    return found if more <= 0 else [*found[:_MOST_REASONS], f"failed for other reasons too: {more:,} more messages"]


def _decimals(value: float) -> int | None:
    """Return the decimals at which a number is shown, None where only its magnitude says something."""
    size = abs(value)
    if size and (size >= 1e9 or size < 0.01):
        return None
    return 0 if size >= 1000 else 1 if size >= 1 or not size else 2


def _number(value: float, decimals: int | None) -> str:
    return f"{value:.2g}" if decimals is None else f"{value:,.{decimals}f}"
