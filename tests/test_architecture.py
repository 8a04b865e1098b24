"""What may import what."""

import ast
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import pytest

# Each layer may import itself and the layers before it.
LAYERS = ["core", "problems", "baselines", "benchmarks", "report", "cli"]


def package_files() -> list[tuple[str, Path]]:
    found = []
    for package in ("llmopt", "llmopt.problems", "llmopt.baselines", "llmopt.benchmarks"):
        spec = find_spec(package)
        assert spec is not None and spec.submodule_search_locations
        root = Path(spec.submodule_search_locations[0])
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            # An ordinary install has the other packages below the first; they are walked by themselves.
            if package == "llmopt" and parts[0] in LAYERS[1:4]:
                continue
            found.append((".".join([package, *(p for p in parts if p != "__init__")]), path))
    return found


def layer(module: str) -> str | None:
    parts = module.split(".")
    if parts[0] != "llmopt":
        return None
    return parts[1] if len(parts) > 1 and parts[1] in LAYERS[1:] else "core"


def imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize(("module", "path"), package_files(), ids=lambda v: v if isinstance(v, str) else "")
def test_imports_point_from_the_outer_layers_to_the_core(module: str, path: Path) -> None:
    own = layer(module)
    assert own is not None
    for name in imports(path):
        other = layer(name)
        if other is None:
            continue
        same_rank = {own, other} == {"problems", "baselines"}
        assert not same_rank, f"{module} imports {name}"
        assert LAYERS.index(other) <= LAYERS.index(own), f"{module} imports {name}"


HEAVY = ["optuna", "openai", "anthropic", "xllamacpp", "scipy", "matplotlib", "httpx2", "typer", "rich"]


@pytest.mark.parametrize("module", ["llmopt", "llmopt.llm", "llmopt.opro", "llmopt.problems", "llmopt.baselines"])
def test_importing_the_framework_loads_no_solver_library_and_no_model_library(module: str) -> None:
    code = f"import {module}, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_nothing_but_llmopt_enters_a_users_namespace() -> None:
    code = "import importlib.util as u; print([m for m in ('problems', 'baselines', 'benchmarks') if u.find_spec(m)])"
    out = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("group", ["llmopt.problems", "llmopt.solvers", "llmopt.models"])
def test_every_registered_name_can_be_loaded(group: str) -> None:
    found = entry_points(group=group)
    assert found
    for entry in found:
        assert callable(entry.load())
