"""Actions and alerts are told: what waits, with the command that approves it, and how it ended."""

from __future__ import annotations

import pytest

from opscrew.actions.execution import Execution
from opscrew.actions.executor import Outcome
from opscrew.actions.uptime import no_uptime
from opscrew.findings.codes import finding
from opscrew.model.finding import Severity
from opscrew.model.subject import Subject
from opscrew.settings import Settings
from tests.support.actions import ListedSystem, rerun
from tests.support.databases import on_sqlite_alone
from tests.support.receiver import receiver
from tests.support.telling import Telling, settings_with

pytestmark = on_sqlite_alone


@pytest.fixture
def hook():
    with receiver() as taking:
        yield taking


class Scene:
    def __init__(self, database, clock, folder, hook, mode: str) -> None:
        wishes = {"kinds": ("findings", "actions", "alerts")}
        self.clock, self.hook = clock, hook
        settings = settings_with(folder, {"team": hook.url}, **wishes)
        self.telling = Telling(database, settings, clock)
        own = Settings(policy={"rerun_pipeline": mode}, budget={"cooldown_minutes": 0})
        self.execution = Execution(database, own, clock, no_uptime)
        self.system = ListedSystem()
        self.telling.tell()
        hook.got.clear()

    def go_on(self, minutes: float = 1) -> None:
        self.clock.forward(minutes=minutes)
        self.execution.advance([self.system])
        self.telling.tell()


def test_what_waits_is_told_with_the_command_that_approves_it_and_then_how_it_ended(
    database, clock, tmp_path, hook
) -> None:
    scene = Scene(database, clock, tmp_path, hook, "approve")
    record = scene.execution.propose(rerun())
    for _ in range(3):
        scene.go_on()
    (waiting,) = hook.got
    assert waiting["title"] == "Waits for you: Run a failed pipeline again"
    assert f"`crew actions approve {record.id}`" in waiting["message"]
    assert "pipeline acme/shop/#1" in waiting["message"]
    assert "the registry did not answer" in waiting["message"]
    scene.execution.approve(record.id, "ada")
    scene.go_on()
    scene.system.result = Outcome(True, "the re-run passed")
    for _ in range(3):
        scene.go_on()
    assert hook.titles[1:] == ["Done: Run a failed pipeline again"]
    assert "the re-run passed" in hook.got[1]["message"]
    assert hook.got[1]["type"] == "success"


def test_what_was_decided_before_it_could_be_told_waits_for_nobody(database, clock, tmp_path, hook) -> None:
    scene = Scene(database, clock, tmp_path, hook, "approve")
    record = scene.execution.propose(rerun())
    scene.execution.deny(record.id, "ada", "not now")
    scene.go_on()
    assert hook.got == []


def test_a_re_run_that_helped_nothing_is_told(database, clock, tmp_path, hook) -> None:
    scene = Scene(database, clock, tmp_path, hook, "auto")
    scene.execution.propose(rerun())
    scene.system.result = Outcome(False, "the same step failed again")
    for _ in range(3):
        scene.go_on()
    assert hook.titles == ["Did not help: Run a failed pipeline again"]
    assert "the same step failed again" in hook.got[0]["message"]


def test_nobody_decided_is_told_once(database, clock, tmp_path, hook) -> None:
    scene = Scene(database, clock, tmp_path, hook, "approve")
    scene.execution.propose(rerun())
    for _ in range(30):
        scene.go_on(minutes=60)
    assert hook.titles == [
        "Waits for you: Run a failed pipeline again",
        "Nobody decided in time: Run a failed pipeline again",
    ]


def test_many_that_wait_are_one_message_with_their_commands(database, clock, tmp_path, hook) -> None:
    scene = Scene(database, clock, tmp_path, hook, "approve")
    for number in range(1, 41):
        scene.execution.propose(rerun(number, f"acme/shop{number}"))
    scene.go_on()
    (message,) = hook.got
    assert message["title"] == "40 news: 40 waiting for you"
    assert message["message"].count("crew actions approve") == 5
    assert "… and 35 more" in message["message"]


def test_a_group_of_alerts_is_told_with_its_cause_under_its_own_kind(database, clock, tmp_path, hook) -> None:
    subject = Subject(system="alertmanager", kind="alert", scope="prod/shop", name="HighLatency")
    cause = "HighLatency in prod/shop: 3 alerts firing; Likeliest cause: the deployment of 12:01."
    group = finding("ALERT_FIRING", subject, cause, severity=Severity.CRITICAL)
    settings = settings_with(tmp_path, {"team": hook.url}, kinds=("alerts",))
    telling = Telling(database, settings, clock)
    telling.tell()
    telling.see(group, finding("VOLUME_FULL", subject, "full"))
    telling.tell()
    assert hook.titles[1:] == ["New critical: An alert fires"]
    assert "Likeliest cause: the deployment of 12:01" in hook.got[1]["message"]


def test_a_finding_that_says_the_same_as_an_action_is_not_told_beside_it(database, clock, tmp_path, hook) -> None:
    telling = Telling(database, settings_with(tmp_path, {"team": hook.url}, severity="info"), clock)
    telling.tell()
    subject = Subject(system="bitbucket", kind="pipeline", scope="acme/shop", name="#1")
    telling.see(finding("ACTION_WAITING", subject, "it waits"), finding("ACTION_FAILED", subject, "it failed"))
    telling.tell()
    assert len(hook.got) == 1
