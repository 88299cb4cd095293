"""What is no longer measured is said so, ends no finding, and is never told as healthy: for each source alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.support.absent_sources import SOURCES, WAYS, Stage

pytestmark = pytest.mark.usefixtures("unhurried")

SAYS_SO = re.compile(r"(?:not|partly) measured|no answer|could not be read|no log lines? |cannot be told", re.I)
TOLD_AS_WELL = re.compile(r"all clear|nothing (?:is )?wrong|\b0 error lines|\b[1-9]\d* resolved|no finding", re.I)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_absent_is_not_well(source: Callable[[Path], AbstractContextManager[Stage]], way: str, tmp_path: Path) -> None:
    with source(tmp_path) as stage:
        stage.look()
        known = stage.known()
        assert known, "the test needs something that is known to be wrong"
        stage.hold_back(way)
        for _ in range(2):
            text = stage.look()
            assert stage.known() >= known, text
            assert SAYS_SO.search(text), text
            assert stage.about in text
            assert not TOLD_AS_WELL.search(text), text
