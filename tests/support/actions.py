"""A proposal, and an executor whose system is a list in memory: for rules that need no network to be seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from opscrew.actions.executor import Outcome, Receipt
from opscrew.model.action import Action
from opscrew.model.subject import Subject
from opscrew.settings import Settings


def rerun(number: int = 1, repository: str = "acme/shop", branch: str = "main", commit: str = "") -> Action:
    """A proposal to run a pipeline again; each number is another commit unless one is given."""
    commit = commit or f"{number:040x}"
    return Action(
        kind="rerun_pipeline",
        target=Subject(system="bitbucket", kind="pipeline", scope=repository, name=f"#{number}"),
        parameters={
            "pipeline_uuid": f"{{{number}}}",
            "build_number": number,
            "commit": commit,
            "target_key": f"branch:{branch}",
        },
        reason="the registry did not answer",
        idempotency_key=f"rerun:{repository}:{branch}:{commit}:{number}",
    )


@dataclass
class ListedSystem:
    """Executor of ``rerun_pipeline``. ``arrived`` is what reached the system; errors are raised when set."""

    kind: str = "rerun_pipeline"
    arrived: list[str] = field(default_factory=list)
    objection: str | None = None
    before_arrival: Exception | None = None
    after_arrival: Exception | None = None
    when_asked: Exception | None = None
    result: Outcome | None = None
    asked_since: list[datetime] = field(default_factory=list)

    def precondition(self, action: Action) -> str | None:
        return self.objection

    def send(self, action: Action) -> Receipt:
        if self.before_arrival:
            raise self.before_arrival
        self.arrived.append(action.idempotency_key)
        if self.after_arrival:
            raise self.after_arrival
        return self._receipt(action)

    def find_sent(self, action: Action, since: datetime) -> Receipt | None:
        self.asked_since.append(since)
        if self.when_asked:
            raise self.when_asked
        return self._receipt(action) if action.idempotency_key in self.arrived else None

    def outcome(self, action: Action, receipt: Receipt) -> Outcome | None:
        return self.result

    def _receipt(self, action: Action) -> Receipt:
        return Receipt(f"run-of-{action.target.name}", "http://bitbucket.test/1", "started")


def settings_for_actions(**changes: Any) -> Settings:
    """Settings whose policy re-runs by itself, without cooldown, with their data in the test's ``crew-data``."""
    values: dict[str, Any] = {
        "policy": {"rerun_pipeline": "auto"},
        "budget": {"cooldown_minutes": 0, "per_repository_hour": 100, "per_hour": 100},
    }
    return Settings(**(values | changes))
