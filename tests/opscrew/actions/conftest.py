"""What the tests of actions share: executions on one database, checked by the audit in the end."""

from __future__ import annotations

import pytest

from opscrew.actions.anchor import FILE_NAME
from opscrew.actions.execution import Execution
from opscrew.actions.uptime import no_uptime
from opscrew.actions.verification import verify
from tests.support.actions import settings_for_actions


@pytest.fixture
def make(database, clock, tmp_path):
    """Makes executions on the same database; each is another process as far as the journal can tell."""

    def _make(uptime=no_uptime, **settings) -> Execution:
        return Execution(database, settings_for_actions(**settings), clock, uptime)

    yield _make
    # Whatever a test did, the audit log must be whole and agree with the journal.
    assert verify(database, tmp_path / "crew-data" / FILE_NAME).problems == ()
