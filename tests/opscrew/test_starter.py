"""The file that `crew init` writes holds every setting, and is true."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from opscrew import settings_file
from opscrew.settings import STARTER_FILE, Settings
from opscrew.settings_mistakes import part_of

TEXT = STARTER_FILE.read_text(encoding="utf-8")


def switched_on() -> str:
    """The starter with every setting in use: lines whose "#" stands directly before a name or its nested lines."""
    lines, inside = [], False
    for line in TEXT.splitlines():
        if re.match(r"#[a-z_]+:", line):
            inside = True
            lines.append(line[1:])
        elif inside and re.match(r"#  +\S", line):
            lines.append(line[1:])
        else:
            inside = False
            lines.append(line)
    return "\n".join(lines)


def missing(model: type[BaseModel], values: dict[str, Any], prefix: str = "") -> list[str]:
    found = []
    for name, field in model.model_fields.items():
        label = f"{prefix}{name}"
        if "SecretStr" in str(field.annotation):
            continue
        if name not in values:
            found.append(label)
            continue
        part = part_of(field.annotation)
        if part is None:
            continue
        value = values[name][0] if isinstance(values[name], list) else values[name]
        found += missing(part, value, f"{label}.")
    return found


def test_it_loads_as_written(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("CREW_DATA_DIR")
    path = tmp_path / "crew.yaml"
    path.write_text(TEXT, encoding="utf-8")
    assert settings_file.load(path) == Settings(timezone="UTC")


def test_it_loads_with_everything_switched_on(tmp_path) -> None:
    path = tmp_path / "crew.yaml"
    path.write_text(switched_on(), encoding="utf-8")
    loaded = settings_file.load(path)
    assert loaded.bitbucket is not None
    assert loaded.gcp is not None
    assert loaded.policy["expand_pvc"] == "approve"


def test_every_setting_is_in_it() -> None:
    assert missing(Settings, yaml.safe_load(switched_on())) == []


def test_what_it_calls_a_default_is_the_default() -> None:
    values = yaml.safe_load(switched_on())
    fresh = Settings()
    for name in ("budget", "http"):
        for key, value in values[name].items():
            shown = getattr(getattr(fresh, name), key)
            assert (list(shown) if isinstance(shown, tuple) else shown) == value, f"{name}.{key}"
    for name in ("stop_seconds", "log_format", "log_level", "dry_run", "timezone"):
        assert getattr(fresh, name) == values[name], name


@pytest.mark.parametrize(
    "variable", ["CREW_BITBUCKET__TOKEN", "CREW_BITBUCKET__WEBHOOK_SECRET", "CREW_MODEL__TOKEN", "CREW_HTTP__TOKEN"]
)
def test_secrets_are_named_where_they_are_needed(variable: str) -> None:
    assert variable in TEXT
