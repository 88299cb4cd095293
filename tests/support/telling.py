"""What a test of telling people needs: channels at a receiver, a clock, and findings to tell."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from crews.notify.job import run
from crews.runtime.context import CrewContext
from opscrew.clock import Clock
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.metrics import Metrics
from opscrew.model.finding import Finding, Severity
from opscrew.model.run import Run
from opscrew.model.subject import Subject
from opscrew.settings import Settings
from opscrew.settings_notify import NotifySettings


def settings_with(folder: Path, urls: dict[str, str], zone: str = "UTC", **channel: Any) -> Settings:
    """Settings whose channels have all the same wishes; each address lies in a file of its own."""
    channels = []
    for name, url in urls.items():
        file = folder / f"{name}.url"
        file.write_text(url + "\n", encoding="utf-8")
        channels.append({"name": name, "url_file": str(file), **channel})
    return Settings(notify=NotifySettings.model_validate({"channels": channels}), timezone=zone)


def problem(name: str, code: str = "VOLUME_FULL", severity: Severity | None = None, cause: str = "") -> Finding:
    """A finding on a claim of that name."""
    subject = Subject(system="kubernetes", kind="PersistentVolumeClaim", scope="prod/shop", name=name)
    return finding(code, subject, cause or f"{name} is full", severity=severity)


class Telling:
    """The ledger, and the job that tells people, with a clock that the test moves."""

    def __init__(self, engine: Engine, settings: Settings, clock: Clock) -> None:
        self.engine, self.settings, self.clock = engine, settings, clock
        self.ledger = Ledger(engine, clock)
        self.metrics = Metrics()

    def see(self, *found: Finding, source: str = "test") -> None:
        """A complete look that saw these."""
        self.ledger.observe(source, found, complete=True)

    def tell(self) -> Run:
        """One run of the job."""
        context = CrewContext(self.settings, self.engine, self.clock, self.metrics, systems=None)  # type: ignore[arg-type]
        return run(context)


def bodies(messages: Iterable[dict[str, Any]]) -> str:
    """Everything that was written, for words that must or must not stand in it."""
    return json.dumps(list(messages), ensure_ascii=False)
