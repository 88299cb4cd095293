"""Deployments, as Bitbucket tells of them. See ``records.py``."""

from __future__ import annotations

from pydantic import model_validator

from tools.bitbucket.shapes import Answer, flat_deployment
from tools.bitbucket.source_records import Moment
from tools.bitbucket.states import NEVER_RAN

BEGUN = frozenset({"IN_PROGRESS", "COMPLETED"})
"""States of deployments of which something has run."""


class Deployment(Answer):
    """What a deployment step did to an environment. See ``flat_deployment`` for the words of ``state``."""

    uuid: str = ""
    state: str = ""
    status: str = ""
    environment: str = ""
    environment_uuid: str = ""
    pipeline_uuid: str = ""
    step_uuid: str = ""
    commit: str = ""
    started_on: Moment | None = None
    completed_on: Moment | None = None
    unreadable: tuple[str, ...] = ()

    _flat = model_validator(mode="before")(flat_deployment)

    @property
    def has_started(self) -> bool:
        """UNDEPLOYED never did, whatever its times."""
        return self.state not in NEVER_RAN and (self.started_on is not None or self.state in BEGUN)
