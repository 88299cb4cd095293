"""What is no longer measured is said so, ends no finding, and is never told as healthy: for each source alike."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.support.absent_sources import SOURCES, WAYS, Stage, mistakes

pytestmark = pytest.mark.usefixtures("unhurried")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_absent_is_not_well(source: Callable[[Path], AbstractContextManager[Stage]], way: str, tmp_path: Path) -> None:
    assert mistakes(source, way, tmp_path) == []
