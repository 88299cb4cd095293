"""Runs the real crew over a scripted hour of the sandbox and checks that it did what the demo claims.

Everything is as in daily use (HTTP, database, policy, audit); only the clock is ours: it jumps a minute per round.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from crews.ask.answer import Answer
from crews.ask.job import Question, answer_question
from crews.runtime.context import CrewContext
from crews.runtime.registry import find_crew
from crews.runtime.running import run_crew
from crews.runtime.systems import Systems
from demo.bitbucket.app import create_app
from demo.bitbucket.hour import MINUTES, Event, furnish, play
from demo.bitbucket.world import TOKEN, World
from demo.clock import FastClock
from demo.serving import serve
from opscrew import logs
from opscrew.actions.anchor import FILE_NAME
from opscrew.actions.execution import Execution
from opscrew.actions.records import ActionRecord
from opscrew.actions.verification import AuditCheck, verify
from opscrew.findings.ledger import Ledger
from opscrew.findings.records import LedgerEntry
from opscrew.memory.library import Library, files
from opscrew.metrics import Metrics
from opscrew.model.action import ActionState
from opscrew.settings import BitbucketSettings, BudgetSettings, Settings
from opscrew.store.database import open_database

QUESTIONS = (
    "Why did payments fail?",
    "What waits for approval?",
    "Which findings are open in infra?",
)
"""Asked when the hour is over; answered without a model, from the same evidence that one would get."""

PAST = Path(__file__).resolve().parents[1] / "demo"
"""What happened in the demo's world before: its ``incidents/``."""

START = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
"""A Tuesday; fixed, so that every run tells the same story."""


class Story(Protocol):
    """Tells what happens, as text or as JSON."""

    def begin(self) -> None: ...
    def happened(self, at: datetime, event: Event) -> None: ...
    def finding(self, at: datetime, entry: LedgerEntry) -> None: ...
    def action(self, at: datetime, record: ActionRecord) -> None: ...
    def answer(self, question: str, answer: Answer) -> None: ...
    def end(self, entries: list[LedgerEntry], records: list[ActionRecord], audit: AuditCheck) -> None: ...
    def farewell(self) -> None: ...


def play_hour(folder: Path, seed: int, story: Story) -> bool:
    """True when everything that the demo is meant to show was shown."""
    # The story is the output here; a log line per round would drown it. Errors go beside it.
    logs.configure("console", "error")
    clock = FastClock(START, speed=0)
    world = World(clock, seed=seed)
    furnish(world)
    with serve(create_app(world)) as url:
        settings = _settings(url, folder)
        engine = open_database(settings.database_url)
        for document in files(PAST):
            Library(engine, clock).put(document)
        metrics = Metrics()
        with Systems(settings, clock, metrics) as systems:
            context = CrewContext(settings=settings, engine=engine, clock=clock, metrics=metrics, systems=systems)
            entries, records = _hour(context, world, clock, story)
            answers = [answer_question(context, Question(text, facts_only=True)) for text in QUESTIONS]
            audit = verify(engine, settings.data_dir / FILE_NAME)
        story.end(entries, records, audit)
        for text, answer in zip(QUESTIONS, answers, strict=True):
            story.answer(text, answer)
        story.farewell()
        engine.dispose()
    answered = all(answer.facts and answer.text for answer in answers)
    return answered and audit.intact and _is_what_was_promised(entries, records)


class _SandboxSettings(Settings):
    """Settings from here alone: the environment would lead the demo, which re-runs by itself, to real systems."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def _settings(url: str, folder: Path) -> Settings:
    return _SandboxSettings(
        bitbucket=BitbucketSettings(url=f"{url}/2.0", workspace="acme", token=TOKEN),
        policy={"rerun_pipeline": {"*": "auto", "acme/payments": "approve"}},
        budget=BudgetSettings(),
        data_dir=folder,
        database=f"sqlite:///{folder / 'crew.db'}",
    )


def _hour(
    context: CrewContext, world: World, clock: FastClock, story: Story
) -> tuple[list[LedgerEntry], list[ActionRecord]]:
    crew = find_crew("ci_watch")
    assert crew is not None
    ledger = Ledger(context.engine, clock)
    execution = Execution(context.engine, context.settings, clock, context.uptime)
    told: dict[str, object] = {}
    story.begin()
    for minute in range(MINUTES + 1):
        for event in play(world, minute):
            story.happened(clock(), event)
        run_crew(crew, context)
        for entry in ledger.list():
            if told.get(entry.fingerprint) != _moment(entry):
                told[entry.fingerprint] = _moment(entry)
                story.finding(clock(), entry)
        for record in execution.list():
            if told.get(record.id) != record.state:
                told[record.id] = record.state
                story.action(clock(), record)
        clock.forward(minutes=1)
    return list(ledger.list()), list(execution.list())


def _moment(entry: LedgerEntry) -> tuple[bool, str]:
    """What is worth telling again: that it is over, or that its cause now says something else."""
    return entry.resolved_at is not None, entry.finding.cause


def _is_what_was_promised(entries: list[LedgerEntry], records: list[ActionRecord]) -> bool:
    codes = {entry.finding.code for entry in entries}
    states = {record.state for record in records}
    wanted = {"CI_TRANSIENT_NETWORK", "CI_GENUINE_FAILURE", "CI_INFRA_PERSISTENT", "CI_OUTAGE", "CI_RERUN_IMPOSSIBLE"}
    return wanted <= codes and {ActionState.SUCCEEDED, ActionState.WAITING} <= states
