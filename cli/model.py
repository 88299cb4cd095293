"""`crew model`: what the model host has, and whether the configured model is up to the work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from cli.context import app_of
from cli.help import example
from cli.output import console, json_option, print_json

if TYPE_CHECKING:
    from opscrew.settings import ModelSettings

GIGABYTE = 1_000_000_000


def register(application: typer.Typer) -> None:
    group = typer.Typer(
        epilog=example("crew model"), help="Look at the local model, or try it.", invoke_without_command=True
    )
    group.callback()(show)
    group.command("list", epilog=example("crew model list"))(list_models)
    group.command("try", epilog=example("crew model try"))(try_out)
    application.add_typer(group, name="model")


def show(context: typer.Context, as_json: bool = json_option()) -> None:
    """Look at the local model, or try it."""
    if context.invoked_subcommand is None:
        list_models(context, as_json)


def list_models(context: typer.Context, as_json: bool = json_option()) -> None:
    """List what the host has and which documented models fit the memory here."""
    from crews.team.catalogue import load_catalogue, memory_here
    from crews.team.state import model_state

    settings = app_of(context).settings.model
    state = model_state(settings)
    memory = memory_here()
    catalogue = load_catalogue()
    fitting = catalogue.fitting(memory) if memory is not None else ()
    found = {
        "model": {"name": state.name, "condition": state.condition, "detail": state.detail, "hint": state.hint},
        "hosts": [_host(settings, url) for url in _hosts(settings)],
        "memory_bytes": memory,
        "documented": {
            "checked": catalogue.checked,
            "source": catalogue.source,
            "fitting": [model.model_dump() for model in fitting],
        },
    }
    if as_json:
        print_json(found)
    else:
        _print_list(found)


def try_out(context: typer.Context, as_json: bool = json_option()) -> None:
    """Measure how fast the configured model reads and writes, and whether it calls tools and keeps to a schema."""
    from crews.team.trial import try_model

    settings = app_of(context).settings
    trial = try_model(settings.model, settings.data_dir)
    found = {
        "model": trial.state.name,
        "condition": trial.state.condition,
        "detail": trial.state.detail,
        "hint": trial.state.hint,
        "prompt_tokens_per_second": trial.prompt_speed,
        "output_tokens_per_second": trial.output_speed,
        "load_seconds": trial.load_seconds,
        "typical_answer_seconds": trial.typical_seconds,
        "calls_tools": trial.calls_tools,
        "obeys_schema": trial.obeys_schema,
        "problem": trial.problem,
    }
    if as_json:
        print_json(found)
    else:
        _print_trial(found)
    if not trial.state.ready or trial.problem:
        raise typer.Exit(1)


def _hosts(settings: ModelSettings) -> tuple[str, ...]:
    from crews.team.state import hosts_of, is_ollama

    return hosts_of(settings) if settings.name == "none" or is_ollama(settings.name) else ()


def _host(settings: ModelSettings, url: str) -> dict[str, Any]:
    """One host's models; its trouble instead where it does not answer."""
    from tools.errors import UpstreamError
    from tools.ollama.client import OllamaClient

    token = settings.token.get_secret_value() if settings.token else ""
    with OllamaClient(url, token=token, timeout_seconds=2) as client:
        try:
            loaded = {model.name: model for model in client.loaded()}
            models = [
                {
                    "name": model.name,
                    "size_bytes": model.size,
                    "parameters": model.details.parameter_size,
                    "quantization": model.details.quantization_level,
                    "context_tokens": (card := client.card(model.name)).context_tokens,
                    "tools": card.calls_tools,
                    "thinking": card.thinks,
                    "memory_bytes": loaded[model.name].size if model.name in loaded else None,
                }
                for model in client.installed()
            ]
            return {"url": client.url, "version": client.version(), "models": models}
        except UpstreamError as problem:
            return {"url": client.url, "problem": problem.message, "hint": problem.hint, "models": []}


def _print_list(found: dict[str, Any]) -> None:
    from rich.table import Table

    out = console()
    model = found["model"]
    out.print(f"model {model['name']}: {model['condition']}" + (f", {model['detail']}" if model["detail"] else ""))
    if model["hint"]:
        out.print(f"  {model['hint']}")
    for host in found["hosts"]:
        if "problem" in host:
            out.print(f"host {host['url']}: {host['problem']}")
            continue
        out.print(f"host {host['url']}, Ollama {host['version']}")
        table = Table("model", "GB", "context", "tools", "thinks", "in memory", box=None, pad_edge=False)
        for entry in host["models"]:
            table.add_row(
                entry["name"],
                f"{entry['size_bytes'] / GIGABYTE:.1f}",
                str(entry["context_tokens"] or "?"),
                _yes(entry["tools"]),
                _yes(entry["thinking"]),
                f"{entry['memory_bytes'] / GIGABYTE:.1f} GB" if entry["memory_bytes"] else "",
            )
        out.print(table)
    if found["memory_bytes"] is None:
        out.print("The free memory here is not known; docs/MODELS.md lists models by memory.")
        return
    names = ", ".join(entry["name"] for entry in found["documented"]["fitting"]) or "none"
    out.print(f"This machine has {found['memory_bytes'] / GIGABYTE:.0f} GB of memory free. Documented models that fit:")
    out.print(f"  {names}")


def _print_trial(found: dict[str, Any]) -> None:
    out = console()
    out.print(f"model {found['model']}: {found['condition']}" + (f", {found['detail']}" if found["detail"] else ""))
    if found["hint"]:
        out.print(f"  {found['hint']}")
    if found["problem"]:
        out.print(f"  could not be tried: {found['problem']}")
        return
    if found["calls_tools"] is None:
        return
    for label, key, unit in (
        ("reads", "prompt_tokens_per_second", "tokens/s"),
        ("writes", "output_tokens_per_second", "tokens/s"),
        ("loaded in", "load_seconds", "s"),
        ("a full packet and a short answer take", "typical_answer_seconds", "s"),
    ):
        if found[key] is not None:
            out.print(f"  {label} {found[key]:.1f} {unit}")
    out.print(f"  calls tools: {_yes(found['calls_tools'])}")
    out.print(f"  keeps to a schema: {_yes(found['obeys_schema'])}")


def _yes(value: bool | None) -> str:
    return "yes" if value else "no"
