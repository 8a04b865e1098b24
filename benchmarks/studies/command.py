"""What the commands of the studies have in common: designs, the models that they ask, and errors in one line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from llmopt.benchmarks.studies.mixture import Mixture
from llmopt.errors import InvalidInput, LlmoptError, MissingExtra
from llmopt.llm import connect
from llmopt.llm.base import LLM
from llmopt.llm.copier import Copier

NO_MODEL = "no model: "
"""How the name of a design begins that asks none."""


def design_parser(doc: str | None, designs: str) -> argparse.ArgumentParser:
    """Return the parser of a study: a file, ``--llm``, and designs, at least one ("+") or any number ("*")."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("file", type=Path, help="where the outcomes are kept (CSV)")
    parser.add_argument("designs", nargs=designs, metavar="DESIGN")
    parser.add_argument("--llm", default="local", help="the model, or several with commas")
    return parser


def parsed(parser: argparse.ArgumentParser, arguments: Sequence[str], designs: Collection[str]) -> argparse.Namespace:
    """Return the options, which may stand anywhere; those of this process where no arguments are given."""
    options = parser.parse_intermixed_args(arguments or None)
    if unknown := set(options.designs) - set(designs):
        parser.error(f"unknown design {min(unknown)!r}; there are {', '.join(map(repr, designs))}")
    return options


@contextmanager
def opened(specs: str, designs: Collection[str]) -> Iterator[LLM]:
    """Open the models that the designs ask; where none asks any, what is given in their place is not asked."""
    with ExitStack() as stack:
        asked = not all(name.startswith(NO_MODEL) for name in designs)
        models = [stack.enter_context(connect(spec)) for spec in specs.split(",")] if asked else [Copier()]
        yield models[0] if len(models) == 1 else Mixture(models)


@contextmanager
def measuring(design: str) -> Iterator[None]:
    """Let an error say which design it is of."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(f"{design}: {error}") from error


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """End the process as ``llmopt`` does where an error is one that a user can act on: with one line."""
    try:
        try:
            yield
        except OSError as error:
            if error.filename is None:
                raise
            # A file that the user has named; models and logs have errors of their own.
            raise InvalidInput(f"{error.filename}: {error.strerror}") from None
    except LlmoptError as error:
        print("llmopt:", " ".join(str(error).split()), file=sys.stderr)
        raise SystemExit(2 if isinstance(error, InvalidInput | MissingExtra) else 1) from None
