"""What changed shortly before an alert: rollouts in the cluster, pipelines and deployments, marks in Grafana."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from crews.runtime.context import CrewContext
from opscrew.alerts.causes import Clue, cause_rules
from opscrew.alerts.looks import Look
from opscrew.alerts.objects import is_exporter
from opscrew.model.evidence import Evidence
from opscrew.model.subject import Subject
from opscrew.reading_time import clock_time
from opscrew.store.text import storable
from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.failures import Refused
from tools.bitbucket.records import Deployment
from tools.bitbucket.states import NEVER_RAN
from tools.errors import UpstreamError
from tools.kubernetes.changes import REPLICA_SETS, WORKLOADS, revisions, workload
from tools.kubernetes.client import KubernetesClient
from tools.kubernetes.records import Resource
from tools.kubernetes.resource_types import PODS

MOST_OBJECTS = 10
MOST_REPOSITORIES = 3
"""Each costs two requests of the hour's budget."""
MOST_DEPLOYMENTS = 100
"""Of one repository, in one request: those that have not begun may stand before those of the last hours."""
MOST_STEPS = 5
"""Of one repository, asked for how they ended where the deployment does not say."""
MOST_PIPELINES = 5
"""Of one repository; they are told and are no causes, since only a deployment changes what runs."""


DEPLOYED, DEPLOYING = "was deployed to", "is being deployed to"
ENDS = {
    "SUCCESSFUL": DEPLOYED,
    "FAILED": "tried to deploy, and failed, to",
    "ERROR": "tried to deploy, and failed, to",
    "STOPPED": "tried to deploy, and was stopped, to",
}
"""By the word with which the deployment, or its step, ended."""
CHANGED_SOMETHING = frozenset({DEPLOYED, DEPLOYING})
"""What may be behind an alert. The others are told with the rest of what was seen, and are no cause."""


def rolled_out(context: CrewContext, affected: Sequence[Subject], began_at: datetime) -> Look:
    """The newest revision of each affected workload, with the one before it to go back to."""
    if not context.settings.kubernetes:
        return Look(problem="kubernetes is not configured")
    clues: list[Clue] = []
    looked = 0
    for subject in [one for one in affected if one.system == "kubernetes"][:MOST_OBJECTS]:
        cluster, _, namespace = subject.scope.partition("/")
        client = context.systems.kubernetes(cluster)
        if client is None or not namespace or is_exporter(subject):
            continue
        looked += 1
        pod = client.get(PODS, namespace, subject.name) if subject.kind == "Pod" else None
        if pod is not None:
            clues += _stuck(pod, subject, context.clock())
        owner = _workload_of(client, subject, pod, namespace)
        if owner is not None:
            clues += _change_of(client, owner, subject)
    if not looked:
        return Look(problem="the alert names no object of a cluster that is rolled out")
    since = began_at - timedelta(minutes=cause_rules().within_minutes)
    # Many pods of one workload lead to the same rollout.
    fresh = {(clue.text, str(clue.subject)): clue for clue in clues if clue.began_at >= since or clue.lasting}
    lines = tuple(line for clue in fresh.values() for line in clue.evidence)
    return Look(tuple(fresh.values()), lines)


def ran_in_bitbucket(context: CrewContext, affected: Sequence[Subject], began_at: datetime) -> Look:
    """Deployments of the last hours in repositories named like what is affected, and the pipelines around them."""
    client = context.systems.bitbucket
    if client is None:
        return Look(problem="bitbucket is not configured")
    names = {one.name for one in affected}
    fitting = [
        repository.slug
        for repository in client.repositories()
        if any(name == repository.slug or name.startswith(repository.slug + "-") for name in names)
    ]
    since = began_at - timedelta(minutes=cause_rules().within_minutes)
    until = began_at + timedelta(minutes=cause_rules().slack_minutes)
    clues, lines = list[Clue](), list[Evidence]()
    for slug in fitting[:MOST_REPOSITORIES]:
        try:
            lines += _pipelines_of(client, slug, since)
            changes, others = _deployments_of(client, slug, since, until)
        except Refused as refusal:  # an answer about this one repository; the others may have the cause
            lines.append(Evidence(source="bitbucket", text=f"{slug}: {refusal}", observed_at=context.clock()))
            continue
        clues += changes
        lines += others
    return Look(tuple(clues), (*(line for clue in clues for line in clue.evidence), *lines))


def _deployments_of(
    client: BitbucketClient, slug: str, since: datetime, until: datetime
) -> tuple[list[Clue], list[Evidence]]:
    """What may be behind an alert, and what is only told beside it."""
    clues, lines = list[Clue](), list[Evidence]()
    steps_asked = 0
    for deployment in client.deployments(slug, limit=MOST_DEPLOYMENTS):
        at = deployment.completed_on or deployment.started_on
        if at is None or not since <= at <= until:
            continue
        ended = deployment.status
        if not ended and steps_asked < MOST_STEPS:
            ended, steps_asked = _end_of_step(client, slug, deployment), steps_asked + 1
        verb = _what_it_did(deployment, ended)
        commit = f" ({deployment.commit[:12]})" if deployment.commit else ""
        text = storable(f"{slug} {verb} {deployment.environment or 'an environment'}{commit}", 200)
        seen = Evidence(source=f"bitbucket deployments {slug}", text=text, observed_at=at)
        if verb in CHANGED_SOMETHING:
            place = f"{client.workspace}/{slug}"
            subject = Subject(system="bitbucket", kind="deployment", scope=place, name=deployment.uuid)
            clues.append(Clue("change", text, at, subject, evidence=(seen,)))
        else:
            lines.append(seen)
    return clues, lines


def _end_of_step(client: BitbucketClient, slug: str, deployment: Deployment) -> str:
    """How the step ended that deployed: answers without a status of the deployment are recorded. "" when unknown."""
    if deployment.state != "COMPLETED" or not deployment.pipeline_uuid or not deployment.step_uuid:
        return ""
    try:
        return client.step(slug, deployment.pipeline_uuid, deployment.step_uuid).state.result
    except UpstreamError:
        return ""


def _what_it_did(deployment: Deployment, ended: str) -> str:
    """In words, to be followed by the environment."""
    if not deployment.has_started or ended in NEVER_RAN:
        return "was not deployed to"
    if deployment.state == "IN_PROGRESS":
        return DEPLOYING
    return ENDS.get(ended, "may have been deployed, and Bitbucket does not say how it ended, to")


def _pipelines_of(client: BitbucketClient, slug: str, since: datetime) -> list[Evidence]:
    found = []
    for pipeline in client.pipelines(slug, since=since, limit=MOST_PIPELINES):
        target, state = pipeline.target, pipeline.state.result or pipeline.state.name
        where = target.branch or target.ref_name or target.commit[:12]
        text = storable(f"{slug} #{pipeline.build_number} on {where}: {state}", 200)
        at = pipeline.completed_on or pipeline.created_on
        found.append(Evidence(source=f"bitbucket pipelines {slug}", text=text, observed_at=at, link=pipeline.url))
    return found


def deployed_in_grafana(context: CrewContext, began_at: datetime) -> Look:
    """Marks with the tag of deployments."""
    client = context.systems.grafana
    if client is None:
        return Look(problem="grafana is not configured")
    since = began_at - timedelta(minutes=cause_rules().within_minutes)
    clues = []
    for mark in client.deployments(since, began_at + timedelta(minutes=cause_rules().slack_minutes)):
        at = datetime.fromtimestamp(mark.begins_ms / 1000, UTC)
        text = storable(f"Deployment marked in Grafana: {mark.text}", 200)
        clues.append(Clue("change", text, at, evidence=(Evidence(source="grafana", text=text, observed_at=at),)))
    return Look(tuple(clues), tuple(line for clue in clues for line in clue.evidence))


def _workload_of(client: KubernetesClient, subject: Subject, pod: Resource | None, namespace: str) -> Resource | None:
    """The workload that an object belongs to."""
    if subject.kind in WORKLOADS:
        return workload(client, subject.kind, namespace, subject.name)
    for owner in pod.owners if pod is not None else ():
        if owner.kind in WORKLOADS:
            return workload(client, owner.kind, namespace, owner.name)
        if owner.kind == "ReplicaSet":
            middle = client.get(REPLICA_SETS, namespace, owner.name)
            for above in middle.owners if middle is not None else ():
                if above.kind in WORKLOADS:
                    return workload(client, above.kind, namespace, above.name)
    return None


def _change_of(client: KubernetesClient, owner: Resource, affected: Subject) -> Iterator[Clue]:
    known = revisions(client, owner)
    # The first revision of a new workload is a change too, with nothing to go back to.
    if not known or known[0].created_at is None:
        return
    subject = Subject(system="kubernetes", kind=owner.kind, scope=affected.scope, name=owner.name)
    images = ", ".join(_images(known[0].template)[:3])
    text = storable(f"{owner.kind} {owner.name} was rolled out as revision {known[0].number} ({images})", 300)
    facts: dict[str, Any] = {"replicas": owner.spec.get("replicas")}
    if len(known) > 1:
        facts["to_revision"] = known[1].number
    at = known[0].created_at
    yield Clue("change", text, at, subject, evidence=(_seen(affected, text, at),), facts=facts)


def _stuck(pod: Resource, subject: Subject, now: datetime) -> Iterator[Clue]:
    """A pod that should be gone: what its deletion needs is only known to the cluster."""
    if pod.deleting_since is None or now - pod.deleting_since < timedelta(minutes=5):
        return
    text = f"{subject} has been terminating since {clock_time(pod.deleting_since)}"
    facts = {"uid": pod.uid, "owner": f"{pod.owners[0].kind}/{pod.owners[0].name}" if pod.owners else ""}
    seen = (_seen(subject, text, pod.deleting_since),)
    yield Clue("POD_TERMINATING_STUCK", text, pod.deleting_since, subject, lasting=True, evidence=seen, facts=facts)


def _images(template: Any) -> list[str]:
    spec = template.get("spec") if isinstance(template, dict) else None
    containers = spec.get("containers") if isinstance(spec, dict) else None
    return [str(one.get("image", "")) for one in containers or () if isinstance(one, dict)]


def _seen(subject: Subject, text: str, at: datetime) -> Evidence:
    return Evidence(source=f"kubernetes {subject.scope}", text=text, observed_at=at)
