"""Several optimizer models and several scorer models: the table of every pair, as in the paper (OPRO, section 5.2)."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

from llmopt.cli.carry_out import Ending, carry_out
from llmopt.cli.consent import confirm
from llmopt.cli.forecast import Forecast, forecast
from llmopt.cli.order import Order
from llmopt.cli.pair_results import PairResults
from llmopt.cli.ready import Ready, begun, continued, prepared
from llmopt.cli.session import perform
from llmopt.errors import InvalidInput, LlmoptError
from llmopt.report.safe import one_line

_SCORER = "scorer="


@dataclass(frozen=True)
class Pair:
    """An optimizer and a scorer by their SPECs, and what was asked for with them."""

    llm: str
    scorer: str
    order: Order

    def __str__(self) -> str:
        return f"{one_line(self.llm)} writes, {one_line(self.scorer)} answers"


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
    """As :func:`llmopt.cli.session.perform`, for every pair of models; then show what each pair has found.

    All pairs are checked, and their cost is asked about once, before the first begins. The same command again goes on
    where it ended: what is done is taken from the folders of the pairs.
    """
    pairs = pairs_of(order)
    if len(pairs) == 1:
        return perform(order, dry=dry)
    if dry:
        raise InvalidInput("--dry-run shows the prompt of one model; name one --llm and one scorer")
    # The data are the same for all, and so is what a user should be told about them.
    checked = [_checked(pair, quiet=order.quiet or number > 0) for number, pair in enumerate(pairs)]
    confirm([found for _, found in checked], yes=order.yes, quiet=order.quiet)
    results = PairResults(order)
    code, done, ended = 0, 0, ""
    for pair, _ in checked:
        if not order.quiet:
            print(f"llmopt: {pair}", file=sys.stderr)
        try:
            ending = _carried_out(pair, results)
        except KeyboardInterrupt:
            ending = Ending(1, interrupted=True)
        except LlmoptError as error:
            # What was done before is shown; whatever ends one pair so would be paid for in vain in the next.
            ended = f"{pair}: {one_line(str(error))}"
            results.fail(pair.llm, pair.scorer, str(error))
            break
        code = max(code, ending.code)
        if ending.interrupted:
            ended = "interrupted"
            break
        done += 1
    results.show()
    if not ended:
        return code
    print(f"llmopt: {ended}; {done} of {len(pairs)} pairs were done{_how_to_go_on(order)}", file=sys.stderr)
    return 1


def _how_to_go_on(order: Order) -> str:
    if order.out is not None:
        return f"; the same command goes on in {one_line(str(order.out))}"
    return "" if order.terms.cache is None else "; the same command begins anew, with the replies in the cache"


def _checked(pair: Pair, *, quiet: bool) -> tuple[Pair, Forecast]:
    """Return a pair with the solvers that are to run, and what it may take; its models are closed again, since those
    of all pairs may not fit in memory together."""
    with ExitStack() as stack:
        ready = _ready(pair, stack, quiet=quiet)
        asked = replace(pair.order, solvers=ready.order.solvers)
        return replace(pair, order=asked), forecast(ready.comparison, ready.others)


def _carried_out(pair: Pair, results: PairResults) -> Ending:
    with ExitStack() as stack:
        # Its notices were shown when it was checked.
        ready = _ready(pair, stack, quiet=True)
        return carry_out(begun(ready, stack), partial(results.add, pair.llm, pair.scorer))


def _ready(pair: Pair, stack: ExitStack, *, quiet: bool) -> Ready:
    order = replace(pair.order, quiet=quiet)
    ready = continued(order, stack) or prepared(order, stack)
    return replace(ready, order=replace(ready.order, quiet=pair.order.quiet))


def _listed(name: str, text: str) -> list[str]:
    found = [spec.strip() for spec in text.split(",")]
    if not all(found) or len(set(found)) < len(found):
        raise InvalidInput(f"{name}{text} is not legal; give different models with commas between them")
    return found
