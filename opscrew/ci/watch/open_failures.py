"""What fails at present, per branch, tag or pull request: kept so that each failed build is judged once.

Fetching steps and logs costs requests of a small hourly budget, and a failure held back during an outage must still
be known when the outage ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, delete, select, update

from opscrew.model.finding import Finding
from opscrew.store.database import reading, serialize_writers
from opscrew.store.tables.standing_failures import standing_failures


class Rerun(StrEnum):
    """What became of the idea to run it again."""

    NOT_WANTED = "not_wanted"  # the verdict speaks against it
    WANTED = "wanted"  # to be decided in this run, or held back by an outage
    PROPOSED = "proposed"  # an action exists
    IMPOSSIBLE = "impossible"  # a rule forbids it; the finding says which
    FAILED = "failed"  # our re-run failed as well


@dataclass(frozen=True)
class Standing:
    """One failing target of one repository ("workspace/slug"), judged at its newest finished pipeline.

    ``behind`` are earlier failures of the target in steps that its newest pipeline did not get to: nobody knows yet
    whether they are over.
    """

    repository: str
    target_key: str
    pipeline_uuid: str
    failed_at: datetime
    rerun: Rerun
    finding: Finding
    behind: tuple[Finding, ...] = ()

    @property
    def build_number(self) -> int:
        """Of the pipeline at which it was judged; 0 where an older version stored none."""
        return int(self.finding.details.get("build_number", 0))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that is not known to be over."""
        return (self.finding, *self.behind)

    @property
    def signature(self) -> str:
        """ "" where no signature was recognised."""
        return str(self.finding.details.get("signature", ""))


def standing_in(engine: Engine, repository: str) -> dict[str, Standing]:
    """What fails in one repository, by target key."""
    query = select(standing_failures).where(standing_failures.c.repository == repository)
    with reading(engine).connect() as connection:
        found = [_standing(row._mapping) for row in connection.execute(query)]
    return {one.target_key: one for one in found}


def standing_wanted(engine: Engine, workspace: str) -> list[Standing]:
    """Failures of the whole workspace that wait for a decision about a re-run, the oldest first."""
    query = (
        select(standing_failures)
        .where(standing_failures.c.rerun == Rerun.WANTED.value)
        .where(standing_failures.c.repository.startswith(f"{workspace}/", autoescape=True))
        .order_by(standing_failures.c.failed_at)
    )
    with reading(engine).connect() as connection:
        return [_standing(row._mapping) for row in connection.execute(query)]


def update_standing(engine: Engine, changed: Standing) -> None:
    """Stores a decision about one failure, unless a newer failure has taken its place meanwhile.

    One that failed again in place has the same pipeline and another end.
    """
    with engine.begin() as connection:
        connection.execute(
            update(standing_failures)
            .where(standing_failures.c.repository == changed.repository)
            .where(standing_failures.c.target_digest == _digest(changed.target_key))
            .where(standing_failures.c.pipeline_uuid == changed.pipeline_uuid)
            .where(standing_failures.c.failed_at == changed.failed_at)
            .values(rerun=changed.rerun.value, finding=changed.finding.model_dump(mode="json"))
        )


def replace_standing(engine: Engine, repository: str, failures: Iterable[Standing]) -> None:
    """From now on exactly these targets of the repository fail."""
    rows = [
        {
            "repository": repository,
            "target_digest": _digest(one.target_key),
            "pipeline_uuid": one.pipeline_uuid,
            "rerun": one.rerun.value,
            "failed_at": one.failed_at,
            "finding": one.finding.model_dump(mode="json"),
            "behind": [each.model_dump(mode="json") for each in one.behind],
        }
        for one in failures
    ]
    with engine.begin() as connection:
        serialize_writers(connection, "standing_failures")  # two that delete and insert the same would collide
        connection.execute(delete(standing_failures).where(standing_failures.c.repository == repository))
        if rows:
            connection.execute(standing_failures.insert(), rows)


def _digest(target_key: str) -> str:
    """Branch names may be longer than a portable primary key."""
    return hashlib.sha256(target_key.encode()).hexdigest()


def _standing(row: Mapping[Any, Any]) -> Standing:
    finding = Finding.model_validate(row["finding"])
    return Standing(
        repository=row["repository"],
        target_key=finding.details["target_key"],
        pipeline_uuid=row["pipeline_uuid"],
        failed_at=row["failed_at"],
        rerun=Rerun(row["rerun"]),
        finding=finding,
        behind=tuple(Finding.model_validate(one) for one in row["behind"]),
    )
