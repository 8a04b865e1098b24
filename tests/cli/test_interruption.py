"""Ctrl-C, a full disk, a closed pipe: what is done is printed and saved."""

import csv
import json
import os
import pty
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from support.commands import Command, environment

ONE = ["regression", "--repeats", "1"]
SLOW = ["compare", "slow", "--solvers", "random:batch=1,random:batch=2", "--repeats", "3", "--max-evaluations", "30"]


def start(*arguments: str, folder: Path, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "llmopt.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        cwd=folder,
        env=environment(),
    )


def test_ctrl_c_prints_and_saves_what_is_done(tmp_path: Path) -> None:
    process = start(*SLOW, "--out", "report", folder=tmp_path)
    assert process.stderr is not None
    assert "repeat 1/3" in process.stderr.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "Traceback" not in error
    assert error.endswith("llmopt: interrupted; 1 of 6 runs had ended; what was done is kept\n")
    assert "0/2, 1 interrupted" in out
    with (tmp_path / "report" / "runs.csv").open(newline="") as file:
        runs = list(csv.DictReader(file))
    assert [run["stop_reason"] for run in runs] == ["evaluations", "interrupted"]
    assert int(runs[1]["evaluations"]) < 30
    files = sorted((tmp_path / "report" / "evaluations").iterdir())
    assert [len(file.read_text().splitlines()) - 1 for file in files] == [int(run["unique_pairs"]) for run in runs]
    assert (tmp_path / "report" / "summary.md").exists()


def test_ctrl_c_before_the_first_run(tmp_path: Path) -> None:
    process = start("solve", "slow", "seconds=60", "--solver", "random", "--json", "--out", "report", folder=tmp_path)
    # However long it takes to start; the run begins as soon as there is a log.
    waited = time.monotonic() + 60
    while not (tmp_path / "report" / "run.sqlite").exists() and time.monotonic() < waited:
        time.sleep(0.1)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "Traceback" not in error
    assert out.startswith("{")


def test_a_full_disk(llmopt: Command, tmp_path: Path) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, 120_000))

    # The second run's evaluations alone are more than there is room for.
    one = [*ONE, "--max-evaluations", "3000"]
    done = llmopt("compare", *one, "--solvers", "quadratic,random,random:batch=2", "--out", "report",
                  preexec_fn=small_files)  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("llmopt: the log report/run.sqlite cannot be written: ")
    # Nothing is lost: the run that could not be logged whole is in the table, and goes on when there is room.
    assert "quadratic" in done.stdout
    assert "random" in done.stdout
    assert "random:batch=2" not in done.stdout
    done = llmopt("resume", "report", "--json")
    assert done.returncode == 0
    [_, resumed, _] = json.loads(done.stdout)["runs"]
    [fresh] = json.loads(llmopt("compare", *one, "--solvers", "random", "--json").stdout)["runs"]
    assert {**resumed, "seconds": 0, "evaluation_seconds": 0} == {**fresh, "seconds": 0, "evaluation_seconds": 0}


def test_a_reader_that_has_seen_enough(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "llmopt.cli", "list", "solvers"],
        stdout=write,
        stderr=subprocess.PIPE,
        env=environment(),
        timeout=60,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_output_that_cannot_be_written() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "llmopt.cli", "models", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr == b"llmopt: output: No space left on device\n"


def test_a_terminal_shows_the_run_in_progress(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = start(*SLOW[:-1], "20", folder=tmp_path, stderr=theirs)
    os.close(theirs)
    seen = b""
    try:
        while block := os.read(ours, 4096):
            seen += block
    except OSError:  # Linux reports the end of a terminal so
        pass
    os.close(ours)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "random:batch=1" in out
    assert "\x1b" not in out
    text = seen.decode()
    assert "ended after 20 evaluations" in text
    assert "of 20 evaluations, best " in text
    assert "run 2 of 6" in text
