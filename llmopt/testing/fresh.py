"""Runs of a class of checks in a process of its own, in which the hashes of texts are others.

``python -m llmopt.testing.fresh`` is that process: it reads an order a line, and answers each with a line.
"""

from __future__ import annotations

import atexit
import importlib.util
import inspect
import json
import os
import subprocess
import sys
from functools import cache
from types import ModuleType
from typing import Any, cast


def fresh_traces(checks: Any) -> Any:
    """Return what ``checks.traces()`` gives in another process, for an object of a class of checks.

    Raises
    ------
    LookupError
        Another process could not find the class, since it is not at the top of a module, or could not be told
        what the object holds.
    RuntimeError
        It failed there.
    """
    kind = type(checks)
    found: Any = sys.modules.get(kind.__module__)
    for part in kind.__qualname__.split("."):
        found = getattr(found, part, None)
    if found is not kind or kind.__module__ == "__main__":
        raise LookupError(f"{kind.__qualname__} cannot be found by another process; put it at the top of a module")
    order = {"file": inspect.getfile(kind), "module": kind.__module__, "name": kind.__qualname__, "state": vars(checks)}
    try:
        line = json.dumps(order)
    except TypeError:
        raise LookupError(f"{vars(checks)} cannot be sent to another process") from None
    server = _server()
    assert server.stdin is not None and server.stdout is not None
    server.stdin.write(line + "\n")
    server.stdin.flush()
    answer = json.loads(server.stdout.readline() or '{"error": "the process has ended"}')
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer["traces"]


@cache
def _server() -> subprocess.Popen[str]:
    # One for all, since it takes a second to begin.
    environment = os.environ | {
        "PYTHONHASHSEED": "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONSAFEPATH": "1",
    }
    command = [sys.executable, "-m", "llmopt.testing.fresh"]
    server = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True
    )
    atexit.register(_end, server)
    return server


def _end(server: subprocess.Popen[str]) -> None:
    server.kill()
    server.communicate()


def _load(file: str, name: str) -> ModuleType:
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _answer(order: dict[str, Any]) -> dict[str, Any]:
    try:
        found: Any = _load(order["file"], order["module"])
        for part in order["name"].split("."):
            found = getattr(found, part)
        checks = found()
        vars(checks).update(order["state"])
        return {"traces": checks.traces()}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Answer orders until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    # What anybody prints must not come between the answers.
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(_answer(cast(dict[str, Any], json.loads(line)))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
