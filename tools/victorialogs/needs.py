"""What log entries must say of themselves, and what nobody sees otherwise: see ``needs.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml
from pydantic import TypeAdapter

from tools.victorialogs.fields import Role

NEEDS_FILE = Path(__file__).with_name("needs.yaml")


@cache
def needs() -> Mapping[Role, str]:
    """What is not seen, by what no field holds. Raises pydantic's ``ValidationError`` where the file is wrong."""
    return TypeAdapter(dict[Role, str]).validate_python(yaml.safe_load(NEEDS_FILE.read_text(encoding="utf-8")))
