"""What the executors of Kubernetes actions share: where an action's target lives, and how a refusal is told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from opscrew.actions.executor import Outcome, Receipt, SendRefusedError
from opscrew.actions.records import id_of
from opscrew.model.action import Action
from tools.errors import PermanentError
from tools.kubernetes.changes import MARK, rollout_gave_up, rollout_is_done, workload
from tools.kubernetes.client import KubernetesClient
from tools.kubernetes.failures import StatusError
from tools.kubernetes.records import Resource

CONFLICT = 409
CONFLICTS_BORNE = 4
"""A rollout under way writes its status several times a second; five tries in a row are enough to fall between."""

Changed = TypeVar("Changed")
Clients = Callable[[str], KubernetesClient | None]
"""The client of a configured cluster by its name, or None."""


def client_of(clients: Clients, action: Action) -> KubernetesClient:
    """Raises ``PermanentError`` where the cluster is not configured (any more)."""
    cluster = action.target.scope.partition("/")[0]
    client = clients(cluster)
    if client is None:
        raise PermanentError(f"there is no cluster {cluster}", system="kubernetes", hint="Name it in crew.yaml.")
    return client


def namespace_of(action: Action) -> str:
    """Targets have the scope "cluster/namespace"."""
    return action.target.scope.partition("/")[2]


def target_of(clients: Clients, action: Action) -> Resource | None:
    """The workload as it is now, or None."""
    return workload(client_of(clients, action), action.target.kind, namespace_of(action), action.target.name)


def existing(clients: Clients, action: Action) -> Resource:
    """The workload right before it is changed. Raises ``SendRefusedError`` when it has gone."""
    found = target_of(clients, action)
    if found is None:
        raise SendRefusedError(f"{action.target} is gone")
    return found


def mark_of(action: Action) -> str:
    """What our annotation says of this action: its id, as `crew actions show` takes it."""
    return id_of(action.idempotency_key)


@contextmanager
def refusals() -> Iterator[None]:
    """A 4xx says that nothing was done; everything else leaves it open."""
    try:
        yield
    except StatusError as refused:
        raise SendRefusedError(str(refused)) from refused


def change_workload(
    clients: Clients, action: Action, change: Callable[[Resource], Changed]
) -> tuple[Resource, Changed]:
    """Reads the workload and changes it; returns it as it was before, and what ``change`` made of it.

    A conflict says that nothing of ours was done. Where only a controller wrote the object's status in between, the
    object is read and the change asked for again. Raises ``SendRefusedError`` where somebody changed what is wanted
    (the generation counts those changes), for that is for policy and people to look at anew.
    """
    first = found = existing(clients, action)
    for left in reversed(range(CONFLICTS_BORNE + 1)):
        try:
            return found, change(found)
        except StatusError as refused:
            if refused.status != CONFLICT or not left:
                raise SendRefusedError(str(refused)) from refused
        found = existing(clients, action)
        if found.generation != first.generation or found.uid != first.uid:
            raise SendRefusedError(f"somebody changed {action.target} meanwhile")
    raise AssertionError("the last try either returns or raises")


def marked(clients: Clients, action: Action) -> Receipt | None:
    """The receipt of an action whose mark the workload carries, or None."""
    found = target_of(clients, action)
    if found is None or found.annotations.get(MARK) != mark_of(action):
        return None
    return receipt_of(found, "found by its mark")


def receipt_of(found: Resource, detail: str) -> Receipt:
    """The generation is what the cluster counts changes of a specification by."""
    return Receipt(f"{found.uid}@{found.generation}", detail=detail)


def rollout_outcome(clients: Clients, action: Action) -> Outcome | None:
    """Succeeded when every replica is of the new template and ready; failed when the controller gives up."""
    found = target_of(clients, action)
    if found is None:
        return Outcome(False, f"{action.target} is gone")
    if rollout_is_done(found):
        return Outcome(True, "every replica is updated and ready")
    reason = rollout_gave_up(found)
    return Outcome(False, reason) if reason else None
