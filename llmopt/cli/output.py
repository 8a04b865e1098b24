"""What ``compare``, ``solve`` and ``demo`` print and save."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from llmopt.benchmarks.compare import Comparison
from llmopt.benchmarks.credit import controls
from llmopt.benchmarks.execution import Run
from llmopt.benchmarks.published import published, published_tours
from llmopt.benchmarks.record import Record, finite
from llmopt.benchmarks.results import label
from llmopt.benchmarks.summary import summarize
from llmopt.budget import Budget
from llmopt.cli import transfer
from llmopt.items import ItemProblem
from llmopt.llm.base import LLM
from llmopt.problems.prompt.export import messages
from llmopt.problems.prompt.problem import PromptProblem
from llmopt.report.folder import TRANSFER
from llmopt.report.instructions import found_instructions
from llmopt.report.safe import one_line, portable
from llmopt.report.table import Table, dollars, markdown, measured, paper, paper_tours
from llmopt.runlog.identity import versions
from llmopt.runlog.reader import FILE

if TYPE_CHECKING:
    from llmopt.cli.order import Order
    from llmopt.cli.progress import Progress
    from llmopt.report.folder import Folder


def show(order: Order, comparison: Comparison, runs: Sequence[Run], transferred: Sequence[Mapping[str, Any]]) -> None:
    """Print the outcome to stdout: one JSON document, the best solution, or a table; and what was transferred."""
    if order.json:
        found = document(comparison, runs, transferred, with_solution=order.single)
        print(json.dumps(found, indent=2, allow_nan=False))
    elif order.single:
        for run in runs:
            _show_solution(comparison, run)
    elif runs:
        from llmopt.cli.table import print_table

        for i, table in enumerate(tables(comparison, runs)):
            print("\n" * bool(i), end="")
            print_table(table)
    if transferred and not order.json:
        transfer.show(order.transfer, transferred)


def save(
    order: Order,
    comparison: Comparison,
    runs: Sequence[Run],
    transferred: Sequence[Mapping[str, Any]],
    folder: Folder,
    display: Progress,
) -> None:
    """Write the summary, the pictures, and what was found."""
    if not runs:
        return
    folder.summarize("\n".join(markdown(table) for table in tables(comparison, runs)))
    from llmopt.report.pictures import draw

    drawn = [*draw(comparison, runs, folder), *_save_instructions(comparison, runs, folder)]
    drawn += _save_transfer(order, transferred, folder)
    if not order.quiet:
        names = ", ".join([FILE, "runs.csv", "evaluations/", "summary.md", "meta.json", *drawn])
        print(f"written to {one_line(str(folder.path))}: {names}", file=sys.stderr)


def _save_instructions(comparison: Comparison, runs: Sequence[Run], folder: Folder) -> list[str]:
    """Write each instruction that was found as plain text, and as arguments of both SDKs; return what was written."""
    for run in runs:
        problem, text = comparison.problems[run.record.repeat], run.record.instruction
        if isinstance(problem, PromptProblem) and text is not None:
            exported = json.dumps(messages(problem.scorer.template, text), indent=2, ensure_ascii=False)
            folder.add_instruction(run.record, text, exported)
    return ["instructions/"] if any(run.record.instruction is not None for run in runs) else []


def _save_transfer(order: Order, transferred: Sequence[Mapping[str, Any]], folder: Folder) -> list[str]:
    """Write what came of ``--transfer``; return what was written."""
    if not transferred:
        return []
    models = ("llm", "scorer")
    rows = [{**row, **{name: row[name] and portable(row[name]) for name in models}} for row in transferred]
    settings = [portable(text) for text in order.transfer]
    folder.add_transfer(json.dumps({"settings": settings, "rows": rows}, indent=2, ensure_ascii=False))
    return [TRANSFER]


def tables(comparison: Comparison, runs: Sequence[Run]) -> list[Table]:
    """Return what was measured, and what the paper has for the same setting."""
    relative = comparison.problems[0].gap == "relative"
    result = [measured(summarize([run.record for run in runs]), _title(comparison), relative=relative)]
    if credited := controls(comparison, runs):
        result.append(
            measured(summarize(credited), "credit: the local search of hybrid without its model", relative=relative)
        )
    if instructions := found_instructions([run.record for run in runs]):
        result.append(instructions)
    if figures := published(comparison.problems[0]):
        result.append(paper(figures))
    if tours := published_tours(comparison.problems[0]):
        result.append(paper_tours(tours))
    return result


def document(
    comparison: Comparison,
    runs: Sequence[Run],
    transferred: Sequence[Mapping[str, Any]] = (),
    *,
    with_solution: bool = False,
) -> dict[str, Any]:
    """Return the JSON document of a comparison."""
    records = []
    credited = controls(comparison, runs)
    for run in runs:
        record = run.record.as_json()
        if with_solution:
            incumbent = run.history.incumbent
            record["solution"] = None if incumbent is None else run.history.space.to_json(incumbent.solution)
        records.append(record)
    found = {"problem": describe(comparison), "runs": records}
    found |= {"transfer": list(transferred)} if transferred else {}
    return found | {"credit": [record.as_json() for record in credited]} if credited else found


def describe(comparison: Comparison) -> dict[str, Any]:
    """Return the ``problem`` of the JSON document."""
    problem = comparison.problems[0]
    return {
        "name": comparison.name,
        "settings": dict(comparison.settings),
        "description": problem.describe(),
        "direction": problem.direction,
        "space": problem.space.describe(),
        "size": problem.space.size,
        "noisy": problem.noisy,
        "instance": comparison.instance,
        "seed": comparison.seed,
        "repeats": comparison.repeats,
        "budget": _limits_of(comparison.budget),
        "published": [asdict(row) for row in (published(problem) or published_tours(problem))],
    }


def meta(order: Order, comparison: Comparison, llm: LLM | None) -> dict[str, Any]:
    """Return what ``meta.json`` holds: enough to run the comparison again, nothing that belongs to this machine."""
    return {
        **origin(),
        "problem": {
            **describe(comparison),
            "settings": {key: portable(value) for key, value in comparison.settings.items()},
        },
        "solvers": list(comparison.solvers),
        "hint": order.hint,
        "llm": None if llm is None else {"spec": portable(llm.info.spec), "details": dict(llm.info.details)},
    }


def gone_on(meta: Mapping[str, Any], budget: Budget) -> Mapping[str, Any]:
    """Return what ``meta.json`` holds of a comparison that goes on with a budget: the command that began it, with this
    one."""
    limits = _limits_of(budget)
    if meta["problem"]["budget"] == limits:
        return meta
    return {**meta, "command": _with_limits(meta["command"], limits), "problem": {**meta["problem"], "budget": limits}}


def _limits_of(budget: Budget) -> dict[str, Any]:
    return {name: finite(value) for name, value in asdict(budget).items()}


def _with_limits(command: Sequence[str], limits: Mapping[str, Any]) -> list[str]:
    if list(command[1:2]) == ["demo"]:
        # It takes no budget.
        return list(command)
    options = {f"--max-{name.replace('_', '-')}": value for name, value in limits.items()}
    kept, words = [], iter(command)
    for word in words:
        name, equals, _ = word.partition("=")
        if name not in options:
            kept.append(word)
        elif not equals:
            next(words, None)
    return kept + [word for name, value in options.items() if value is not None for word in (name, str(value))]


def origin() -> dict[str, Any]:
    """Return what was typed and what answered; nothing of it belongs to this machine."""
    return {
        "command": ["llmopt", *map(portable, sys.argv[1:])],
        "versions": versions(),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
    }


def limits(comparison: Comparison) -> str:
    """Say what each run may spend."""
    budget = comparison.budget
    parts = [
        f"{value:,g} {unit}" if isinstance(value, float) else f"{value:,} {unit}"
        for value, unit in (
            (budget.evaluations, "evaluations"),
            (budget.steps, "steps"),
            (budget.seconds, "seconds"),
            (budget.tokens, "tokens"),
            (budget.cost, "dollars"),
            (budget.calls, "calls"),
            (budget.scorer_calls, "scorer calls"),
        )
        if value is not None
    ]
    return "at most " + ", ".join(parts)


def named(comparison: Comparison) -> str:
    """Return the problem with its settings, as it was typed."""
    return one_line(label(comparison.name, comparison.settings))


def _title(comparison: Comparison) -> str:
    first, last = comparison.instance, comparison.instance + comparison.repeats - 1
    seed = comparison.seed
    if first == last:
        repeats = f"1 repeat (instance {first}, seed {seed})"
    else:
        repeats = f"{comparison.repeats} repeats (instances {first} to {last}, seeds {seed} to {seed + last - first})"
    return f"{named(comparison)}: {repeats}, {limits(comparison)} each"


def _show_solution(comparison: Comparison, run: Run) -> None:
    record, history = run.record, run.history
    print(f"{one_line(record.solver)} on {named(comparison)} (instance {record.instance}, seed {record.seed})\n")
    incumbent = history.incumbent
    better = "smaller" if comparison.problems[0].direction == "minimize" else "larger"
    # Without a known optimum there is nothing to be solved.
    how = "solved: " if record.success else "" if record.optimum is None else "not solved: "
    rows = [("result", how + record.message)]
    if incumbent is None:
        rows.append(("best solution", "none: no evaluation gave a score"))
    else:
        rows.append(("best solution", _solution(history.space.to_json(incumbent.solution))))
        rows.append(("score", f"{incumbent.score:.10g} ({better} is better)"))
    if record.optimum is not None and record.gap is not None:
        share = "" if record.relative_gap is None else f" ({100 * record.relative_gap:.2f} %)"
        rows.append(("known optimum", f"{record.optimum:.10g}, a gap of {record.gap:.4g}{share}"))
    until = " until it was reached" if record.success else ""
    rows.append(("evaluations", f"{record.evaluations:,}{until} ({limits(comparison)})"))
    rows.append(("steps", f"{record.steps:,}"))
    if record.duplicates or record.invalid or record.failed or record.infeasible:
        rows.append(
            (
                "of its proposals",
                f"{record.duplicates:,} known already, {record.invalid:,} not legal; {record.failed:,} evaluations "
                f"failed, {record.infeasible:,} infeasible",
            )
        )
    if models := _models(comparison, record):
        read = f"{record.prompt_tokens:,} tokens read ({record.cached_tokens:,} of them cached)"
        spent = f"{record.llm_calls:,} calls, {read}, {record.completion_tokens:,} written"
        rows.append(("model" if len(models) == 1 else "models", f"{', '.join(models)}: {spent}"))
        rows.append(("cost", _cost(record)))
        if record.repaired:
            rows.append(("repaired", f"{record.repaired:,} of the model's proposals, without a look at the problem"))
    if record.move_evaluations:
        rows.append(("moves evaluated", f"{record.move_evaluations:,}"))
    for credited in controls(comparison, [run])[1:]:
        gap = "unknown" if credited.relative_gap is None else f"{100 * credited.relative_gap:.2f} %"
        rows.append(("credit", f"{credited.solver}: gap {gap}, {credited.move_evaluations:,} moves evaluated"))
    rows.append(("time", f"{record.seconds:.2f} s"))
    if record.test_accuracy is not None:
        rows += _instruction_rows(record)
    for name, text in rows:
        print(f"  {name:18}{one_line(text)}")


def _models(comparison: Comparison, record: Record) -> list[str]:
    """Return the models whose calls a record counts: those of the solver, and those that score items."""
    problem = comparison.problems[0]
    scorers = [llm.info.spec for llm in problem.models.values()] if isinstance(problem, ItemProblem) else []
    return list(dict.fromkeys([*([] if record.llm is None else [record.llm]), *scorers]))


def _instruction_rows(record: Record) -> list[tuple[str, str]]:
    """Say what was found, how it does on examples that the search has not seen, and how that compares."""
    assert record.test_accuracy is not None and record.train_accuracy is not None
    seen = f"{record.train_accuracy:.1%} of the training examples{_interval(record.train_low, record.train_high)}"
    if record.validation_accuracy is not None:
        ends = _interval(record.validation_low, record.validation_high)
        seen += f", {record.validation_accuracy:.1%} of the validation examples{ends}"
    tested = f"{record.test_accuracy:.1%} of {record.test_examples:,}{_interval(record.test_low, record.test_high)}"
    rows = [("instruction", _solution(record.instruction)), ("right answers", seen), ("on the test", tested)]
    for name, accuracy, p in (
        ("no instruction", record.empty_accuracy, record.p_empty),
        ("step by step", record.step_accuracy, record.p_step),
    ):
        rows.append((name, f"{accuracy:.1%} on the same test examples (McNemar's exact test: p = {p:.3g})"))
    rows.append(("scorer calls", f"{record.scorer_calls:,} in the search; {record.dropped:,} candidates dropped early"))
    if record.empty_answers:
        rows.append(("empty answers", f"{record.empty_answers:,} of those to these three instructions"))
    if record.flags:
        rows.append(("look at it first", record.flags))
    return rows


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" (95 % interval {low:.1%} to {high:.1%})"


def _cost(record: Record) -> str:
    text = (
        "unknown: no price of this model is known (--prices)" if record.cost_usd is None else dollars(record.cost_usd)
    )
    extra = [
        f"{count:,} {what}"
        for count, what in ((record.llm_retries, "calls tried again"), (record.llm_cached, "replies from the cache"))
        if count
    ]
    return ", ".join([text, *extra])


def _solution(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={item}" for name, item in value.items())
    return json.dumps(value, ensure_ascii=False)
