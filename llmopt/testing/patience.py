"""An end for what would never end."""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Impatient(Exception):
    """The time was up before something ended."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise Impatient where the block does not end in time: it is interrupted as by Ctrl-C.

    Works in the main thread, on code that lets an interrupt through.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    up = threading.Event()

    def interrupt() -> None:
        up.set()
        _thread.interrupt_main()

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    before = signal.getsignal(signal.SIGINT)
    deaf = before in (signal.SIG_IGN, signal.SIG_DFL)
    if deaf:
        # A process in the background ignores interrupts, and would ignore this one too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    timer.start()
    try:
        yield
    except KeyboardInterrupt:
        if not up.is_set():
            raise
    finally:
        timer.cancel()
        if deaf:
            signal.signal(signal.SIGINT, before)
    if up.is_set():
        raise Impatient(f"no end after {seconds:g} s")
