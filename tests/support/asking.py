"""A crew's context over given settings and an empty database, and questions put to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from crews.ask.answer import Answer
from crews.ask.job import Question, answer_question
from crews.runtime.context import CrewContext
from crews.runtime.systems import Systems
from opscrew.metrics import Metrics
from opscrew.settings import Settings
from opscrew.store.database import open_database
from tests.support.databases import migrated_sqlite


@contextmanager
def crew_at(now: datetime, folder: Path, **settings: Any) -> Iterator[CrewContext]:
    """A clock that stands still, and a data folder of its own."""
    built = Settings(**({"data_dir": folder, "memory": {"embedding": "none"}} | settings))
    metrics = Metrics()
    engine = open_database(migrated_sqlite(folder / "crew.db"))
    with Systems(built, lambda: now, metrics) as systems:
        yield CrewContext(settings=built, engine=engine, clock=lambda: now, metrics=metrics, systems=systems)
    engine.dispose()


def ask(context: CrewContext, text: str) -> Answer:
    """Without a model."""
    return answer_question(context, Question(text, person="ada"))


def told(answer: Answer) -> str:
    """All facts, one a line."""
    return "\n".join(f"{fact.source}: {fact.text}" for fact in answer.facts)
