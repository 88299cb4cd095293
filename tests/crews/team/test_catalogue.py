"""The documented models: valid, ordered, the same in the page for people."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from crews.team.catalogue import GIGABYTE, load_catalogue, memory_here
from crews.team.roles import ROOT


def test_models_are_ordered_and_need_more_memory_than_disk() -> None:
    models = load_catalogue().models
    assert all(earlier.memory <= later.memory for earlier, later in pairwise(models))
    assert all(model.memory > model.disk for model in models)


def test_the_page_has_the_same_table() -> None:
    catalogue = load_catalogue()
    page = (ROOT / "docs/MODELS.md").read_text(encoding="utf-8")
    rows = [
        f"| {m.name} | {m.disk:g} | {m.memory:g} | {'yes' if m.thinking else 'no'} | {m.use} |"
        for m in catalogue.models
    ]
    assert "\n".join(rows) in page
    assert catalogue.checked.isoformat() in page
    assert catalogue.source in page


def test_what_fits() -> None:
    names = [model.name for model in load_catalogue().fitting(6 * GIGABYTE)]
    assert "qwen3:4b" in names
    assert "qwen3:8b" not in names


def test_memory_heeds_a_containers_limit(tmp_path: Path) -> None:
    meminfo, limit = tmp_path / "meminfo", tmp_path / "memory.max"
    meminfo.write_text("MemTotal: 32000000 kB\nMemAvailable: 16000000 kB\n")
    assert memory_here(meminfo, limit) == 16_000_000 * 1024
    limit.write_text("max\n")
    assert memory_here(meminfo, limit) == 16_000_000 * 1024
    limit.write_text("4000000000\n")
    assert memory_here(meminfo, limit) == 4_000_000_000
    assert memory_here(tmp_path / "absent") is None
