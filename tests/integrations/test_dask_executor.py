"""Evaluations on a cluster: Dask's executor is one of ``concurrent.futures``, and changes nothing."""

from __future__ import annotations

from pathlib import Path

from distributed import Client

from llmopt import minimize
from llmopt.registry import create_problem
from support.dask_cluster import running


def test_a_run_on_the_workers_of_a_cluster_is_the_run_without_them(tmp_path: Path) -> None:
    problem = create_problem("function", {"name": "branin"})
    expected = minimize(problem, solver="tpe:batch=4", max_evaluations=20)
    with running(tmp_path, 2) as cluster, Client(cluster.address) as client:
        found = minimize(problem, solver="tpe:batch=4", max_evaluations=20, workers=client.get_executor())
    assert found.history.losses.tolist() == expected.history.losses.tolist()
    assert found.nit == expected.nit
