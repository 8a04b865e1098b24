"""Tables on the terminal."""

from __future__ import annotations

import sys

from llmopt.report.table import Table

# Wide enough for every table; what reads a pipe wraps lines itself.
_PIPE_WIDTH = 400


def print_table(table: Table) -> None:
    """Print a table and its notes to stdout, in the width of the terminal."""
    from rich import box
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table as RichTable
    from rich.text import Text

    terminal = sys.stdout.isatty()
    console = Console(highlight=False, markup=False, emoji=False, width=None if terminal else _PIPE_WIDTH)
    grid = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in table.columns:
        heading = Text(f"{column.heading}\n{column.below}".rstrip())
        grid.add_column(heading, justify="right" if column.number else "left", overflow="fold")
    for row in table.rows:
        grid.add_row(*map(Text, row))
    console.print(Text(table.title, style="bold"), soft_wrap=True)
    console.print()
    console.print(Padding(grid, (0, 0, 0, 2), expand=False))
    console.print()
    for note in table.notes:
        console.print(Text(note, style="dim"), soft_wrap=not terminal)
