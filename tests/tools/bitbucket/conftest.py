from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.bitbucket import Sandbox, sandbox


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """A sandbox with one Python repository named shop."""
    with sandbox() as served:
        served.world.add_repository("shop")
        yield served
