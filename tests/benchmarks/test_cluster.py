"""A suite on a cluster: a real scheduler and two worker processes on loopback, one of which is killed halfway."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmopt import InvalidInput
from llmopt.benchmarks.bench import Bench
from llmopt.benchmarks.cells import Cell
from llmopt.benchmarks.cluster import Cluster
from llmopt.benchmarks.record import Record
from llmopt.benchmarks.results import Results
from llmopt.benchmarks.suite_file import parse
from llmopt.integrations import dask
from llmopt.integrations.dask import cluster, host_of
from llmopt.runlog import RunLog
from llmopt.runlog.identity import versions
from support.commands import PLUGIN
from support.dask_cluster import running

# What a client says when its scheduler or a worker goes is for its log, and distributed leaves sockets to the end.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(180)]

SUITE = """
name = "far"
[[group]]
problem = "slow"
settings = { seconds = 0.02 }
repeats = 12
solvers = ["random", "crash"]
budget = { evaluations = 40 }
"""


@pytest.mark.slow
def test_every_cell_is_there_once_when_a_worker_is_killed_halfway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PLUGIN))
    ended: list[tuple[str, int]] = []
    with (
        running(tmp_path, workers=2) as cluster_,
        cluster(cluster_.address, seconds=60) as client,
        RunLog(tmp_path / "out") as log,
    ):

        def watch(cell: Cell, record: Record) -> None:
            ended.append((cell.solver, cell.repeat))
            if len(ended) == 8:
                cluster_.workers[0].kill()

        assert Bench(parse(SUITE), log).work(Cluster(client, {}), watch) == 0
        assert len(client.scheduler_info()["workers"]) == 1
    assert sorted(ended) == [(solver, repeat) for solver in ("crash", "random") for repeat in range(12)]
    results = Results.read(tmp_path / "out")
    assert len(results.traces) == results.planned == 24
    assert {len(trace.losses) for trace in results.traces if trace.record.solver == "random"} == {40}
    failed = [trace.record.message for trace in results.traces if trace.record.solver == "crash"]
    assert len(failed) == 12
    assert {message[:17] for message in failed} == {"ZeroDivisionError"}


def test_a_worker_with_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path, workers=1) as cluster_:
        here = versions()
        monkeypatch.setattr(dask, "_MUST_AGREE", ("llmopt",))
        with cluster(cluster_.address, seconds=60) as client:
            monkeypatch.setattr(dask, "versions", lambda: {**here, "llmopt": "99"})
            monkeypatch.setattr(client, "run", lambda _, on_error: {"tcp://a": versions()})
            with pytest.raises(InvalidInput, match=r"the worker tcp://a has llmopt .* and this process 99"):
                dask.check_workers(client, cluster_.address)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("tcp://127.0.0.1:8786", "127.0.0.1"),
        ("tls://node-7.example:1", "node-7.example"),
        ("tcp://[fe80::1%eth0]:65535", "fe80::1%eth0"),
        ("localhost:8786", "localhost"),
    ],
)
def test_an_address_has_a_host(address: str, host: str) -> None:
    assert host_of(address) == host


@pytest.mark.parametrize(
    "address",
    [
        "",
        "node",
        "tcp://node",
        "tcp://:1",
        "tcp://node:x",
        "tcp://node:0",
        "tcp://node:65536",
        "tcp://[::1",
        "tcp://::1:1",
    ],
)
def test_what_has_no_host_or_no_port_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="is not the address of a scheduler; give tcp://HOST:PORT"), cluster(address):
        pass


@pytest.mark.parametrize("address", ["foo://a:1", "http://a:1", "tcp://a:1/x", "tcp://a@b:1", "tcp://a:1 "])
def test_what_is_another_kind_of_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="is not the address of a scheduler; give tcp://HOST:PORT"):
        host_of(address)


def test_a_scheduler_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"tcp://127\.0\.0\.1:9 cannot be reached"), cluster("tcp://127.0.0.1:9", 2):
        pass


def test_a_scheduler_without_workers(tmp_path: Path) -> None:
    with (
        running(tmp_path, workers=0) as cluster_,
        pytest.raises(InvalidInput, match="has no workers"),
        cluster(cluster_.address, 60),
    ):
        pass
