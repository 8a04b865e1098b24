"""What the kit itself keeps to: nobody needs it who does not ask for it, and its means do what they say."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from llmopt.testing.patience import Impatient, at_most
from llmopt.testing.shuffled import Shuffled


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_the_framework_does_not_import_what_only_the_kit_needs() -> None:
    code = "import llmopt, llmopt.cli.app, sys; print([m for m in ('pytest', 'hypothesis') if m in sys.modules])"
    assert python(code) == "[]"


@pytest.mark.parametrize("package", ["pytest", "hypothesis", "jsonschema"])
def test_a_package_that_is_missing_is_one_clear_error(package: str) -> None:
    code = f"""
import sys
sys.modules[{package!r}] = None
from llmopt.errors import MissingExtra
try:
    import llmopt.testing
except MissingExtra as error:
    print(error)
"""
    assert python(code) == f"llmopt.testing needs {package}; install with: pip install 'llmopt[testing]'"


def test_tasks_end_in_another_order_than_they_were_given_in() -> None:
    ended: list[int] = []
    with Shuffled(1) as executor:
        assert list(executor.map(lambda i: ended.append(i) or i, range(20))) == list(range(20))  # type: ignore[func-returns-value]
    assert sorted(ended) == list(range(20)) != ended


def test_what_has_no_end_is_interrupted() -> None:
    with pytest.raises(Impatient, match=r"no end after 0.05 s"), at_most(0.05):
        while True:
            time.sleep(0.01)
    with at_most(5):
        pass


def test_what_has_no_end_is_interrupted_in_the_background_too() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(Impatient), at_most(0.05):
            while True:
                time.sleep(0.01)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_interrupt_of_the_user_is_none_of_the_kits() -> None:
    with pytest.raises(KeyboardInterrupt), at_most(5):
        raise KeyboardInterrupt
