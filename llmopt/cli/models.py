"""``llmopt models``: the language models that are known by name."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from llmopt.cli import options

models = typer.Typer(help="Show the language models that work here, and fetch others.", no_args_is_help=False)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A local model; 'llmopt models list' shows them.")]


@models.callback(invoke_without_command=True)
def _models(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@models.command("list")
def show(as_json: options.Json = False) -> int:
    """List the models, and for each whether it works on this machine, or why not."""
    from llmopt.llm import providers
    from llmopt.llm.catalog import DEFAULT, available
    from llmopt.registry import names
    from llmopt.report.safe import one_line

    found = available()
    if as_json:
        entries = [
            {
                "name": entry.weights.name,
                "spec": f"local:{entry.weights.name}",
                "default": entry.weights.name == DEFAULT,
                "works": entry.works,
                "reason": entry.reason,
                "megabytes": round(entry.weights.size / 1e6),
                "licence": entry.weights.licence,
                "source": entry.weights.source,
            }
            for entry in found
        ]
        remote = [
            {"provider": provider.name, "works": provider.works, "reason": provider.reason}
            for provider in providers.available()
        ]
        print(json.dumps({"models": entries, "providers": remote, "schemes": names("llmopt.models")}, indent=2))
        return 0
    for entry in found:
        weights = entry.weights
        default = ", the default of --llm local" if weights.name == DEFAULT else ""
        print(f"local:{weights.name} ({weights.size / 1e6:.0f} MB, {weights.licence}{default})")
        print(one_line(f"    {'works here' if entry.works else 'not here'}: {entry.reason}"))
        print(one_line(f"    {weights.source}"))
    for provider in providers.available():
        print(f"{provider.name}:MODEL, or {provider.name}:MODEL@URL for another server that speaks its protocol")
        print(one_line(f"    {'works here' if provider.works else 'not here'}: {provider.reason}"))
    print(f"also local:FILE.gguf for a file of your own; kinds of model installed: {', '.join(names('llmopt.models'))}")
    return 0


@models.command("pull")
def pull(name: Name, quiet: options.Quiet = False, as_json: options.Json = False) -> int:
    """Fetch the weights of a local model, or the rest of them if that was interrupted before."""
    from llmopt.cli.pulling import display
    from llmopt.llm import catalog
    from llmopt.llm.pull import pull as fetch
    from llmopt.report.safe import one_line

    weights = catalog.find(name)
    with display(weights, quiet=quiet) as watcher:
        watcher.note(f"{weights.name}, {weights.size / 1e6:,.0f} MB, licence: {weights.licence} ({weights.terms})")
        path = fetch(weights, watcher)
    if as_json:
        entry = {"name": name, "spec": f"local:{name}", "path": str(path), "sha256": weights.sha256}
        print(json.dumps({**entry, "licence": weights.licence}, indent=2))
    else:
        print(one_line(f"local:{name} is in {path}"))
    return 0
