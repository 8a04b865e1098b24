"""Threads and processes that share a reply cache."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from llmopt.llm import Request
from llmopt.llm.cache import Cached
from support.counting import CountingLLM, texts


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "replies.sqlite"


def test_threads_pay_for_each_sample_once(path: Path) -> None:
    inner = CountingLLM(seconds=0.002)
    work = [[Request("p", n=1 + (i + j) % 4, seed=(i * 7 + j) % 5) for j in range(3)] for i in range(60)]
    with Cached(inner, path) as llm, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(llm.generate, work))
        hits = llm.hits
    given: dict[object, str] = {}
    for batch, responses in zip(work, answers, strict=True):
        for request, response in zip(batch, responses, strict=True):
            for i, reply in enumerate(response.replies):
                assert given.setdefault((request.seed, i), reply.text) == reply.text
    assert len(set(given.values())) == len(given) == sum(request.n for request in inner.requests)
    assert hits == sum(request.n for batch in work for request in batch) - len(given)


WORKER = """
import json, random, sys, time
sys.path.insert(0, sys.argv[4])
from llmopt.llm import Request
from llmopt.llm.cache import Cached
from support.models import FunctionLLM

path, name, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
rng = random.Random(name)
said = {}

def reply(request, i):
    time.sleep(0.001)
    return f"{name} {rng.random()}"

with Cached(FunctionLLM(reply), path) as llm:
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(rounds):
        request = Request("p", n=rng.randint(1, 5), seed=rng.randrange(40))
        for i, reply in enumerate(llm.generate([request])[0].replies):
            assert said.setdefault(f"{request.seed} {i}", reply.text) == reply.text
print(json.dumps(said))
"""


def test_processes_that_share_a_file_agree(path: Path) -> None:
    here = str(Path(__file__).parents[1])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(path), name, "300", here],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two", "three")
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
    given: dict[str, str] = {}
    for answers in said:
        for draw, text in answers.items():
            assert given.setdefault(draw, text) == text
    assert len(set(given.values())) == len(given)


def test_a_copy_for_another_process_uses_the_same_file(path: Path) -> None:
    with Cached(CountingLLM(), path, "draw") as llm, pickle.loads(pickle.dumps(llm)) as copy:
        assert texts(copy) == texts(llm) == ["reply 0", "reply 1", "reply 2"]
        assert (copy.hits, llm.hits) == (0, 3)


FORK = """
import os, sys
sys.path.insert(0, sys.argv[2])
from llmopt.llm import Request
from llmopt.llm.cache import Cached
from support.models import FunctionLLM

llm = Cached(FunctionLLM(lambda request, i: str(os.getpid())), sys.argv[1])
mine = llm.generate([Request("p", seed=1)])
inherited = llm._file._connection
child = os.fork()
if child == 0:
    same = [r.replies for r in llm.generate([Request("p", seed=1)])] == [r.replies for r in mine]
    llm.generate([Request("p", seed=2)])
    os._exit(0 if same and llm._file._connection is not inherited else 1)
assert os.waitpid(child, 0)[1] == 0
assert llm.generate([Request("p", seed=2)])[0].replies[0].text == str(child)
llm.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_opens_the_file_anew(path: Path) -> None:
    here = str(Path(__file__).parents[1])
    subprocess.run([sys.executable, "-c", FORK, str(path), here], check=True, timeout=60)


def test_a_new_file_may_be_opened_by_many_at_once(tmp_path: Path) -> None:
    def use(path: Path) -> list[str]:
        barrier.wait()
        with Cached(CountingLLM(), path) as llm:
            return texts(llm)

    barrier = threading.Barrier(6)
    with ThreadPoolExecutor(6) as pool:
        for i in range(40):
            assert len({tuple(said) for said in pool.map(use, [tmp_path / str(i)] * 6)}) == 1
