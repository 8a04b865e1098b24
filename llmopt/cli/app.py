"""The verbs, and what every one of them has in common: one line for an error, and the exit code."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any, TextIO

import typer

from llmopt.cli.bench import bench
from llmopt.cli.compare import compare, solve
from llmopt.cli.demo import demo
from llmopt.cli.export import export
from llmopt.cli.listing import show
from llmopt.cli.models import models
from llmopt.cli.new import new
from llmopt.cli.report import report
from llmopt.cli.resume import resume
from llmopt.cli.runs import runs
from llmopt.errors import InvalidInput, LlmoptError, MissingExtra
from llmopt.report.safe import one_line

DONE, FAILED, BAD_INPUT = 0, 1, 2
# Typer's way to say that Ctrl-C ended a command.
_INTERRUPTED = 130

app = typer.Typer(
    name="llmopt",
    help="Find good solutions with language models and with classical optimizers, measured the same way.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("compare")(compare)
app.command("solve")(solve)
app.command("resume")(resume)
app.command("runs")(runs)
app.command("export")(export)
app.command("report")(report)
app.command("bench")(bench)
app.command("list")(show)
app.command("new")(new)
app.add_typer(models, name="models")
app.command("demo")(demo)


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and end.")] = False,
) -> None:
    if version:
        from llmopt import __version__

        typer.echo(f"llmopt {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def execute(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code: 0 done, 1 the run failed, 2 bad usage or bad input.

    An error is one line on stderr; with ``LLMOPT_DEBUG`` set, one that nobody foresaw has its traceback.
    """
    warnings.showwarning = _warn
    for stream in (sys.stdout, sys.stderr):
        # A character that the terminal does not have must not end a run.
        with suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        code = _code(app(list(arguments), prog_name="llmopt", standalone_mode=False))
        sys.stdout.flush()
        return code
    except typer.TyperException as error:
        _say(f"{' '.join(error.format_message().split())} (see {_help(arguments)})")
        return BAD_INPUT
    except (InvalidInput, MissingExtra) as error:
        _say(str(error))
        return BAD_INPUT
    except LlmoptError as error:
        _say(str(error))
    except (KeyboardInterrupt, typer.Abort):
        _say("interrupted")
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python would complain once more when it flushes.
        _discard(sys.stdout)
    except OSError as error:
        _discard(sys.stdout)
        _say(f"{error.filename or 'output'}: {error.strerror or error}")
    except Exception as error:
        if os.environ.get("LLMOPT_DEBUG"):
            raise
        _say(f"unexpected {type(error).__name__}: {error} (set LLMOPT_DEBUG=1 to see where)")
    return FAILED


def _code(returned: Any) -> int:
    if returned == _INTERRUPTED:
        raise KeyboardInterrupt
    return returned if isinstance(returned, int) else DONE


def _say(message: str) -> None:
    with suppress(OSError):
        print("llmopt:", one_line(message), file=sys.stderr)


def _warn(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    """Show a warning without the place in the code that it comes from, which is no concern of a user."""
    _say(f"{category.__name__}: {message}")


def _help(arguments: Sequence[str]) -> str:
    verbs = [command.name for command in app.registered_commands] + ["models"]
    return f"llmopt {arguments[0]} --help" if arguments and arguments[0] in verbs else "llmopt --help"


def _discard(stream: TextIO) -> None:
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
