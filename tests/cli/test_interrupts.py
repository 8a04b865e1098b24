"""An interrupt that Python cannot raise where it arrives."""

from __future__ import annotations

import subprocess
import sys

from support.commands import environment

PROGRAM = """
import signal, time
from llmopt.cli.interrupts import keep_interrupts

class Last:
    def __del__(self):
        {last}

signal.signal(signal.SIGINT, signal.default_int_handler)
keep_interrupts()
try:
    last = Last()
    del last
    for _ in range(500):
        time.sleep(0.01)
except KeyboardInterrupt:
    print("interrupted")
"""


def end(last: str) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(last=last)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment())


def test_an_interrupt_in_a_finalizer_comes_after_it_without_a_traceback() -> None:
    ended = end("signal.raise_signal(signal.SIGINT)")
    assert (ended.stdout, ended.stderr) == ("interrupted\n", "")


def test_another_error_in_a_finalizer_is_shown_as_ever() -> None:
    ended = end("raise ValueError('seen')")
    assert ended.stdout == "" and "ValueError: seen" in ended.stderr
