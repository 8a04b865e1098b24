"""The process that holds the local model: nobody else uses it, and it ends with its owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx2
import psutil
import pytest

from llmopt.errors import InvalidInput, MissingExtra, ModelError
from llmopt.llm import Request
from llmopt.llm.catalog import find, locate
from llmopt.llm.local import LocalLLM
from llmopt.llm.server import Server, require_runtime
from llmopt.llm.server_main import Gate

pytestmark = pytest.mark.model

OWNER = """
import sys, time
from llmopt.llm.server import Server
from pathlib import Path
server = Server(Path(sys.argv[1]), n_parallel=2, context=512, threads=1)
{before}
print(server.pid, flush=True)
time.sleep(600)
"""
FORK = "import os\nif os.fork() == 0: time.sleep(15); os._exit(0)"


def wait_until_ended(pid: int) -> float:
    start = time.monotonic()
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() - start < 10, "the child outlives its parent"
        time.sleep(0.05)
    return time.monotonic() - start


@pytest.fixture
def small(local_llm: LocalLLM) -> Iterator[LocalLLM]:
    """A server of its own, to be ended."""
    with LocalLLM(locate(find("gemma3-270m")), n_parallel=2, context=512, threads=1) as llm:
        yield llm


def child_of(llm: LocalLLM) -> psutil.Process:
    assert llm._server is not None
    return psutil.Process(llm._server.pid)


@pytest.mark.parametrize("before", ["", FORK], ids=["alone", "with a forked process that holds the pipe"])
def test_the_child_ends_when_its_parent_is_killed(local_llm: LocalLLM, before: str) -> None:
    code = OWNER.format(before=before)
    command = [sys.executable, "-c", code, str(locate(find("gemma3-270m")))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert psutil.pid_exists(child)
        parent.kill()
        wait_until_ended(child)


def test_closing_ends_the_child_and_may_be_repeated(small: LocalLLM) -> None:
    child = child_of(small)
    small.close()
    small.close()
    assert not child.is_running()
    with pytest.raises(ModelError, match="was closed"):
        small.generate([Request("x")])


def test_a_child_that_died_is_reported_in_one_line(small: LocalLLM) -> None:
    child_of(small).kill()
    with pytest.raises(ModelError, match=r"process has ended \(exit status -9\)") as error:
        small.generate([Request("x")])
    assert "\n" not in str(error.value)


def test_ctrl_c_does_not_end_the_child(small: LocalLLM) -> None:
    child_of(small).send_signal(signal.SIGINT)
    assert len(small.generate([Request("x", max_tokens=1)])[0].replies) == 1


def test_a_request_without_the_key_is_refused(local_llm: LocalLLM) -> None:
    url = local_llm._client._address.url
    assert url.startswith("http://127.0.0.1:")
    for method, path in (("POST", "/completion"), ("GET", "/props"), ("GET", "/slots"), ("GET", "/metrics")):
        assert httpx2.request(method, url + path, trust_env=False).status_code == 401
    assert httpx2.get(url + "/", trust_env=False).status_code == 404


def test_a_web_page_is_not_allowed_to_use_the_server(local_llm: LocalLLM) -> None:
    url = local_llm._client._address.url
    headers = {"Origin": "http://elsewhere", "Access-Control-Request-Method": "POST"}
    answer = httpx2.options(url + "/completion", headers=headers, trust_env=False)
    assert not answer.headers.get("access-control-allow-origin")


def test_the_key_is_shown_nowhere(small: LocalLLM) -> None:
    key = small._client._address.key
    child = child_of(small)
    assert len(key) > 30
    shown = [repr(small), repr(small._client), repr(small._client._address), repr(small._server)]
    shown += [*child.cmdline(), *child.environ().values(), str(small.info)]
    child.kill()
    with pytest.raises(ModelError) as error:
        small.generate([Request("x")])
    assert not any(key in text for text in [*shown, str(error.value)])


def test_a_missing_runtime_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'llmopt\[local\]'"):
        require_runtime()


@pytest.mark.parametrize("name", ["n_parallel", "context", "threads"])
def test_numbers_below_one_are_refused(name: str) -> None:
    numbers = {name: 0}
    with pytest.raises(InvalidInput, match=f"{name} must be at least 1"):
        LocalLLM("any.gguf", **numbers)  # type: ignore[arg-type]


def test_the_log_of_the_child_is_bounded(small: LocalLLM) -> None:
    server = small._server
    assert isinstance(server, Server)
    os.write(server._log.fileno(), b"x" * (2**20 + 1))
    deadline = time.monotonic() + 10
    while os.fstat(server._log.fileno()).st_size > 2**20:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_gate_admits_no_more_than_its_capacity_and_nobody_overtakes() -> None:
    import threading

    with Gate("key", 10) as gate:
        gate.acquire(6)
        order: list[int] = []

        def enter(tokens: int) -> None:
            gate.acquire(tokens)
            order.append(tokens)

        threads = [threading.Thread(target=enter, args=(tokens,)) for tokens in (8, 3)]
        for thread in threads:
            thread.start()
            time.sleep(0.1)
        assert order == []
        gate.release(6)
        threads[0].join(5)
        assert order == [8]
        gate.release(8)
        threads[1].join(5)
        assert order == [8, 3]
