"""The stand-ins for published servers that cannot be had here offer exactly the tools that those servers list."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.support import mcp_standins

RECORDED = yaml.safe_load((Path(mcp_standins.__file__).parent / "recorded_tools.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["victoriametrics", "victorialogs"])
def test_the_stand_ins_have_exactly_the_recorded_tools(name: str) -> None:
    tools, _ = mcp_standins.SERVERS[name]
    offered = {
        tool: {field + ("*" if field in standin.required else ""): kind for field, kind in standin.fields.items()}
        for tool, standin in tools.items()
    }
    assert offered == RECORDED[name]
