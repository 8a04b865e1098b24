"""The page of a run: its facts, its course, what it found, and every word to and from models."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from llmopt.benchmarks.results import Trace
from llmopt.history import History
from llmopt.report.page import embed
from llmopt.report.page.chart import Style
from llmopt.report.page.convergence import course_of
from llmopt.report.page.index import ROWS
from llmopt.report.page.section import Shelf
from llmopt.report.safe import lines, one_line, portable
from llmopt.runlog import LogReader
from llmopt.runlog.logged_requests import LoggedRequest, Place
from llmopt.space import Text, take

# Of the rows of a table on a run's page.
_ROWS = 300
_LONG = 2_000
# Of all pages together, compressed; and the prompts and replies of one page in characters.
_BYTES = 6_000_000
_WORDS = 20_000_000
# A page without them.
_BARE = 2_000
_HIDDEN = ("solver", "problem", "instance", "repeat", "seed", "llm", "scorer", "instruction", "message")


def add_pages(shelf: Shelf) -> None:
    """Leave the page of every run on the shelf, as long as there is room; of one that does not fit first its prompts
    and replies are left out."""
    room = _BYTES
    traces = shelf.results.traces[:ROWS]
    for i, trace in enumerate(traces):
        style = shelf.styles[trace.record.solver]
        # Words of one run must not take the pages of the later ones.
        kept_free = _BARE * (len(traces) - 1 - i)
        for words in (_WORDS, _WORDS // 20, 0):
            text = embed.packed(page(shelf.reader, trace, style, words))
            if len(text) <= (room - kept_free if words else room):
                room -= len(text)
                shelf.pages.add(trace.run.id)
                shelf.blocks.append(embed.data(f"run-data-{trace.run.id}", text))
                break


def page(reader: LogReader, trace: Trace, style: Style, room: int) -> dict[str, Any]:
    """Return what the page of a run shows, for the page's script.

    Parameters
    ----------
    reader
        Of the log.
    trace, style
        The run, and how it is drawn.
    room
        Characters of prompts and replies that it may hold; the requests that do not fit are counted.
    """
    record = trace.record
    requests = reader.requests(trace.run)
    models, left_out = _models(requests, room)
    tables = [_history(trace, reader.history(trace.run))] if trace.space is not None else []
    return {
        "title": one_line(f"{record.solver}, repeat {record.repeat}"),
        "problem": one_line(f"{trace.problem}, instance {record.instance}, seed {record.seed}"),
        "message": one_line(record.message),
        "instruction": None if record.instruction is None else lines(record.instruction),
        "facts": _facts(trace),
        "figure": course_of(trace, style),
        "tables": tables,
        "settings": lines(json.dumps(trace.run.identity["solver"]["settings"], indent=1, ensure_ascii=False)),
        "models": models,
        "left_out": left_out,
    }


def _facts(trace: Trace) -> list[list[str]]:
    """Return the record without what is empty."""
    record = trace.record
    times = [["began (UTC)", trace.run.began], ["ended (UTC)", trace.run.ended or "-"]]
    facts = [["run", str(trace.run.id)], *([name, one_line(time[:19].replace("T", " "))] for name, time in times)]
    for name, value in record.as_json().items():
        if value is None or name in _HIDDEN:
            continue
        shown = "yes" if value is True else "no" if value is False else _number(value)
        facts.append([name.replace("_", " "), one_line(shown)])
    models = (("model", record.llm), ("scorer", record.scorer))
    return facts + [[name, one_line(portable(spec))] for name, spec in models if spec is not None]


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}" if isinstance(value, float) else str(value)


def _history(trace: Trace, history: History) -> dict[str, Any]:
    """Return the table of what was evaluated: every text, of other solutions those that improved the score."""
    if isinstance(history.space, Text):
        chosen = np.arange(len(history))
        title = "Every instruction that was evaluated, by step"
    else:
        chosen = np.flatnonzero(np.diff(history.best_so_far(), prepend=np.inf) < 0)
        title = "Every improvement"
    total = len(chosen)
    if total > _ROWS:
        # The first and the last ones: the beginning shows how it went, the end what came of it.
        chosen = np.concatenate([chosen[: _ROWS // 2], chosen[-(_ROWS - _ROWS // 2) :]])
        title += f" (the first and the last {_ROWS // 2} of {total:,}; 'llmopt export' writes all)"
    solutions = history.space.rows_to_json(take(history.columns, chosen))
    losses = history.losses[chosen]
    scores = -losses if history.maximize else losses
    rows = [
        [f"{row + 1:,}", str(step), "-" if np.isnan(score) else f"{score + 0.0:.8g}", _solution(solution)]
        for row, step, score, solution in zip(
            chosen.tolist(), history.steps[chosen].tolist(), scores.tolist(), solutions, strict=True
        )
    ]
    failed = [
        [f"{row + 1:,}", one_line(reason)[:_LONG]] for row, reason in sorted(history.reasons.items())[: _ROWS // 3]
    ]
    return {
        "title": title,
        "columns": ["evaluation", "step", "score", "solution"],
        "rows": rows,
        "failures": failed,
        "failed": len(history.reasons),
    }


def _solution(value: Any) -> str:
    if isinstance(value, str):
        return lines(value)
    if isinstance(value, Mapping):
        return one_line(", ".join(f"{name}={_plain(item)}" for name, item in value.items()))[:_LONG]
    return one_line(_plain(value))[:_LONG]


def _plain(value: Any) -> str:
    return f"{value:.8g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def _models(requests: Mapping[Place, Sequence[LoggedRequest]], room: int) -> tuple[list[dict[str, Any]], int]:
    """Return what models were asked and what they replied, and how many requests did not fit."""
    shown: list[dict[str, Any]] = []
    left_out = 0
    for (role, step, attempt), asked in requests.items():
        for number, request in enumerate(asked):
            prompts = _prompts(request)
            replies = [_reply(sample, request) for sample in sorted(request.replies)]
            size = sum(len(text) for _, text in prompts) + sum(len(reply["text"]) for reply in replies)
            if size > room:
                left_out += 1
                continue
            room -= size
            shown.append(
                {
                    "role": one_line(role),
                    "step": step,
                    "call": attempt,
                    "request": number,
                    "prompts": prompts,
                    "settings": one_line(_settings(request)),
                    "usage": _usage(request),
                    "replies": replies,
                }
            )
    return shown, left_out


def _prompts(request: LoggedRequest) -> list[list[str]]:
    """Return the messages of a request, or the text to go on with, each with the name of who says it."""
    text = request.texts.get("prompt", "")
    if request.settings.get("chat"):
        try:
            return [[one_line(str(message["role"])), lines(str(message["content"]))] for message in json.loads(text)]
        except (ValueError, KeyError, TypeError):
            # A damaged text; the reader has told of it.
            pass
    return [["text to continue", lines(text)]]


def _reply(sample: int, request: LoggedRequest) -> dict[str, Any]:
    reply = request.replies[sample]
    return {"sample": sample, "finish": reply.finish_reason, "text": lines(reply.text)}


def _settings(request: LoggedRequest) -> str:
    known = {**request.settings, **request.settings.get("sampling", {})}
    names = ("temperature", "top_p", "top_k", "min_p", "max_tokens", "seed")
    parts = [f"{name} {known[name]:g}" for name in names if isinstance(known.get(name), int | float)]
    form = next((name for name in ("grammar", "schema") if name in request.texts), None)
    return ", ".join([*parts, f"{request.n} wanted", *([f"constrained by a {form}"] if form else [])])


def _usage(request: LoggedRequest) -> str:
    read = sum(usage.prompt_tokens for usage in request.usage)
    written = sum(usage.completion_tokens for usage in request.usage)
    return f"{read:,} tokens read, {written:,} written"
