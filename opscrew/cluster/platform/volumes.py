"""Volume claims that find no volume, volumes that were lost or left behind, and storage classes."""

from __future__ import annotations

from collections.abc import Iterator

from opscrew.cluster.conditions import read_conditions
from opscrew.cluster.events import event_line, recent_warnings
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from tools.kubernetes.fields import mapping, text, truth
from tools.kubernetes.records import Resource

_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def check_claims(snapshot: Snapshot) -> Iterator[Problem]:
    """Lost, pending for a reason, or pending for long. Waiting for a first pod is normal."""
    for claim in snapshot.of("PersistentVolumeClaim"):
        phase = text(claim.status, "phase")
        if phase == "Lost":
            cause = (
                f"Its volume {text(claim.spec, 'volumeName')} is gone, and the data with it unless there is a backup."
            )
            yield Problem("VOLUME_LOST", claim, "Lost", cause)
        elif phase in ("Pending", "") and claim.deleting_since is None:
            yield from _pending(snapshot, claim)
        yield from _failed_resize(snapshot, claim)


def _pending(snapshot: Snapshot, claim: Resource) -> Iterator[Problem]:
    name = text(claim.spec, "storageClassName")
    storage_class = snapshot.find("StorageClass", "", name) if name else None
    if name and storage_class is None and snapshot.knows("StorageClass") and not text(claim.spec, "volumeName"):
        cause = f"The StorageClass {name} does not exist, so nothing makes a volume for it."
        yield Problem("STORAGE_CLASS_MISSING", claim, "StorageClassNotFound", cause)
        return
    events = recent_warnings(snapshot, claim, ("ProvisioningFailed", "FailedBinding", "VolumeMismatch", "ClaimLost"))
    if events and events[0].reason != "FailedBinding":
        missing = "not found" in events[0].message and "storageclass" in events[0].message.lower()
        code = "STORAGE_CLASS_MISSING" if missing else "VOLUME_PROVISIONING_FAILED"
        facts = tuple(event_line(event) for event in events[:2])
        cause = f"No volume could be made: {events[0].message.strip()}"
        yield Problem(code, claim, events[0].reason, cause, facts=facts)
        return
    if storage_class is not None and text(storage_class.body, "volumeBindingMode") == "WaitForFirstConsumer":
        return
    if any(event.reason == "WaitForFirstConsumer" for event in snapshot.events_of(claim)):
        return
    if snapshot.age(claim.created_at) > seconds(thresholds().claim_bind_seconds):
        why = events[0].message.strip() if events else "nothing says why"
        cause = f"The claim is not bound to a volume yet: {why}"
        yield Problem("VOLUME_UNBOUND", claim, events[0].reason if events else "Pending", cause)


def _failed_resize(snapshot: Snapshot, claim: Resource) -> Iterator[Problem]:
    statuses = mapping(claim.status, "allocatedResourceStatuses")
    refused = [state for state in statuses.values() if isinstance(state, str) and state.endswith("Infeasible")]
    errors = [c for c in read_conditions(claim.status) if c.type.endswith("ResizeError") and c.status]
    if refused or errors:
        message = errors[0].message if errors else f"the driver answers {refused[0]}"
        yield Problem("VOLUME_RESIZE_FAILED", claim, "VolumeResizeFailed", f"The claim cannot be enlarged: {message}")


def check_volumes(snapshot: Snapshot) -> Iterator[Problem]:
    """A failed volume is a problem; a released one costs money and holds data nobody uses."""
    for volume in snapshot.of("PersistentVolume"):
        phase, message = text(volume.status, "phase"), text(volume.status, "message")
        claim = f"{text(volume.spec, 'claimRef', 'namespace')}/{text(volume.spec, 'claimRef', 'name')}"
        if phase == "Failed":
            cause = f"The volume could not be reclaimed after {claim}: {message or 'no reason given'}"
            yield Problem("VOLUME_FAILED", volume, "Failed", cause)
        elif phase == "Released" and text(volume.spec, "persistentVolumeReclaimPolicy") != "Delete":
            cause = f"Its claim {claim} is gone and its policy keeps the data; it is paid for and unused."
            yield Problem("VOLUME_RELEASED", volume, "Released", cause)


def check_attachments(snapshot: Snapshot) -> Iterator[Problem]:
    """A volume that cannot be attached to its node, or let go of, told of the claim that people know."""
    for attachment in snapshot.of("VolumeAttachment"):
        node, attached = text(attachment.spec, "nodeName"), truth(attachment.status, "attached") is True
        goes = attachment.deleting_since is not None
        message = text(attachment.status, "detachError" if goes else "attachError", "message")
        since = attachment.deleting_since if goes else attachment.created_at
        tries = snapshot.age(since) < seconds(thresholds().settle_seconds)
        if not message or (attached and not goes) or (tries and snapshot.dated):
            continue
        cause = f"The volume cannot be {'detached from' if goes else 'attached to'} node {node}: {message.strip()}"
        volume = snapshot.find("PersistentVolume", "", text(attachment.spec, "source", "persistentVolumeName"))
        yield Problem(
            "VOLUME_ATTACH_FAILED",
            _claim_of(snapshot, volume) or volume or attachment,
            "DetachError" if goes else "AttachError",
            cause,
            facts=(f"{attachment}: {message.strip()}",),
            caused_by=(("Node", "", node),),
        )


def _claim_of(snapshot: Snapshot, volume: Resource | None) -> Resource | None:
    """The claim a volume is bound to; itself not in the picture, it is known by its name."""
    namespace, name = (text(volume.spec, "claimRef", key) if volume else "" for key in ("namespace", "name"))
    if not name:
        return None
    return snapshot.find("PersistentVolumeClaim", namespace, name) or Resource(
        "v1", "PersistentVolumeClaim", namespace, name
    )


def check_storage_classes(snapshot: Snapshot) -> Iterator[Problem]:
    """With two defaults the newest silently wins, which is seldom what anyone meant."""
    defaults = [c for c in snapshot.of("StorageClass") if c.annotations.get(_DEFAULT_CLASS) == "true"]
    if len(defaults) > 1:
        names = ", ".join(sorted(storage_class.name for storage_class in defaults))
        for storage_class in sorted(defaults, key=lambda c: c.name)[:1]:
            cause = f"{len(defaults)} storage classes call themselves the default: {names}."
            yield Problem("STORAGE_CLASS_DEFAULTS", storage_class, "MultipleDefaults", cause)
