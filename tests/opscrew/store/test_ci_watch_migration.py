"""What an older version stored is read by this one: findings counted by looks, failures, the request budget."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import import_module

from alembic import command
from sqlalchemy import Engine, text

from opscrew.ci.watch.open_failures import Rerun, Standing, replace_standing, standing_in
from opscrew.ci.watch.poll_bucket import Poller
from opscrew.ci.watch.poll_states import load_poller, save
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.model.subject import Subject
from opscrew.store.database import alembic_config

NOON = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
STEP = import_module("opscrew.store.migrations.versions.0013_ci_watch")


def test_what_was_stored_before_goes_on(database: Engine, clock) -> None:
    subject = Subject(system="bitbucket", kind="branch", scope="acme/shop", name="main")
    details = {"target_key": "branch:main|", "step": "Test", "signature": "", "build_number": 7}
    told = finding("CI_GENUINE_FAILURE", subject, "it failed", details=details)
    ledger = Ledger(database, clock)
    for seen in ([told], [], [told]):
        ledger.observe("ci", seen, complete=True)
    failed = Standing("acme/shop", "branch:main|", "{7}", NOON, Rerun.NOT_WANTED, told)
    replace_standing(database, "acme/shop", [failed])
    save(database, "acme", [], Poller(12.0, NOON))
    with database.begin() as connection:
        command.downgrade(alembic_config(connection), STEP.down_revision)
        connection.execute(text("UPDATE findings SET occurrences = 4711"))
        command.upgrade(alembic_config(connection), "head")
    assert ledger.get(told.fingerprint).occurrences == 2, "it appeared twice, however many looks there were"
    assert standing_in(database, "acme/shop") == {failed.target_key: failed}
    assert load_poller(database, "acme") == Poller(12.0, NOON)
    clock.forward(minutes=1)
    again = ledger.observe("ci", [told], complete=True)
    assert again.ongoing[0].occurrences == 2
    assert again.ongoing[0].last_seen - again.ongoing[0].first_seen == timedelta(minutes=1)
