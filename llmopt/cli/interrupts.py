"""Ctrl-C at a moment at which Python cannot raise it."""

from __future__ import annotations

import _thread
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_SOON = 0.01
"""Seconds until an interrupt comes again; the finalizer that it fell into has ended by then."""


def keep_interrupts() -> None:
    """Let an interrupt that falls into a finalizer or a callback of a weak reference come again after it.

    Python would print its traceback and go on as if there had been none. (Libraries that draw pictures call
    such code all the time.)
    """
    previous = sys.unraisablehook

    def again(unraisable: UnraisableHookArgs, /) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            timer = threading.Timer(_SOON, _thread.interrupt_main)
            timer.daemon = True
            timer.start()
        else:
            previous(unraisable)

    sys.unraisablehook = again
