"""Resolved findings become episodes once, and search finds them."""

from datetime import timedelta
from types import SimpleNamespace

from crews.upkeep import episodes as remembering
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.memory.conversations import Conversations
from opscrew.memory.library import Library
from opscrew.memory.search import Search
from opscrew.model.subject import Subject
from opscrew.settings import Settings

POD = Subject(system="kubernetes", kind="Pod", scope="prod/payments", name="ledger-0")
PIPELINE = Subject(system="bitbucket", kind="pipeline", scope="acme/shop", name="#7")


def test_what_is_over_and_mattered_is_written_once_and_found(database, clock) -> None:
    settings = Settings(memory={"embedding": "none"})
    context = SimpleNamespace(engine=database, clock=clock, settings=settings)
    ledger = Ledger(database, clock)
    seen = [
        finding("POD_CRASH_LOOPING", POD, "The ledger service exits because its vault token is gone."),
        finding("CI_GENUINE_FAILURE", PIPELINE, "a test fails"),
    ]
    ledger.observe("look", seen, complete=True)
    clock.forward(minutes=30)
    for _ in range(10):  # however many clean looks the ledger wants before it calls a finding resolved
        clock.forward(minutes=10)
        ledger.observe("look", [], complete=True)
    kept = Conversations(database, clock)
    kept.add(kept.start("ann"), "q", "a")

    assert remembering.run(context).summary == "Wrote 1 episodes and forgot 0 old conversations."
    assert remembering.run(context).summary.startswith("Wrote 0 episodes")
    hit = Search(Library(database, clock).documents()).find("have we seen a missing vault token?", clock())[0]
    assert hit.document.kind == "episode"
    assert "it ended by itself" in hit.document.text

    clock.forward(days=400)
    assert remembering.run(context).summary == "Wrote 0 episodes and forgot 1 old conversations."
    assert clock() - hit.document.happened_at > timedelta(days=399)
