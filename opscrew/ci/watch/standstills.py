"""Findings about what does not fail and does not go on either: pipelines that Bitbucket holds back, and repositories
whose pipelines it does not show."""

from __future__ import annotations

from opscrew.ci.judge.failures import MERGE_QUEUE, target_subject
from opscrew.findings.codes import finding
from opscrew.model.evidence import Evidence
from opscrew.model.finding import Finding
from opscrew.model.subject import Subject
from opscrew.reading_time import minute
from opscrew.redaction import redact
from tools.bitbucket.records import Pipeline

LONGEST_REFUSAL = 500
"""Characters of the server's words and what they mean."""


def halted_finding(pipeline: Pipeline, repository: str) -> Finding:
    """A pipeline that waits to be resumed. ``repository`` is "workspace/slug"."""
    since = minute(pipeline.created_on)
    return finding(
        "CI_PIPELINE_HALTED",
        target_subject(pipeline, repository),
        f"#{pipeline.build_number} has been halted by Bitbucket; it began on {since} and goes on only when resumed",
        aspect=MERGE_QUEUE if pipeline.target.is_merge_queue else "",
        evidence=[
            Evidence(
                source=f"bitbucket pipelines {repository}",
                text=f"#{pipeline.build_number}: {pipeline.state.name} {pipeline.state.stage}".strip(),
                observed_at=pipeline.created_on,
                link=pipeline.url,
            )
        ],
        details={"pipeline_uuid": pipeline.uuid, "build_number": pipeline.build_number, "url": pipeline.url},
    )


def refused_finding(repository: str, refusal: str) -> Finding:
    """``refusal`` is what Bitbucket answered, with what it means."""
    name = repository.rpartition("/")[2]
    words = " ".join(redact(refusal).split())[:LONGEST_REFUSAL]
    return finding(
        "CI_REPOSITORY_REFUSED",
        Subject(system="bitbucket", kind="repository", scope=repository.rpartition("/")[0], name=name),
        f"its pipelines cannot be read: {words}",
    )
