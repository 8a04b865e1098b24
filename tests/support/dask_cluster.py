"""A real scheduler of Dask with worker processes, on loopback."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from distributed import Client

from support.commands import environment

_SECONDS = 60.0


@dataclass
class Running:
    """A cluster that runs.

    Attributes
    ----------
    address
        Of the scheduler.
    workers
        Its worker processes.
    """

    address: str
    workers: list[subprocess.Popen[bytes]]


@contextmanager
def running(folder: Path, workers: int) -> Iterator[Running]:
    """Start a scheduler and workers with one thread each; end them all."""
    known = folder / "scheduler.json"
    processes: list[subprocess.Popen[bytes]] = []

    def start(module: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments, "--no-dashboard"]
        process = subprocess.Popen(
            command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        processes.append(process)
        return process

    try:
        start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(known))
        until = time.monotonic() + _SECONDS
        while not known.exists() or not known.read_text():
            assert time.monotonic() < until, "the scheduler did not start"
            time.sleep(0.05)
        address = json.loads(known.read_text())["address"]
        started = [
            start("dask_worker", address, "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1")
            for _ in range(workers)
        ]
        with Client(address, timeout=_SECONDS, set_as_default=False) as client:
            if workers:
                client.wait_for_workers(workers, timeout=_SECONDS)
        yield Running(address, started)
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()
