"""The wish to make a volume larger."""

from __future__ import annotations

import re

from crews.ask.gather.collector import Request
from crews.ask.requests.objects import named_objects, names_of, told
from crews.ask.requests.proposal import WHY, Proposal, key_of, nothing, proposed, unclear
from crews.runtime.volumes import read_claim
from opscrew.model.action import Action
from opscrew.storage.expansion import KIND
from opscrew.storage.volume import GIB
from tools.kubernetes.records import ResourceType

CLAIMS = ResourceType("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
SIZE = re.compile(r"\bto (\d{1,6}) ?(gi?b?|ti?b?)\b", re.IGNORECASE)


def expand(request: Request, wish: str) -> Proposal:
    """To the size that the wish names, in GiB or TiB."""
    if not request.context.settings.kubernetes:
        return nothing("no cluster is configured")
    size = SIZE.search(wish)
    if size is None:
        return nothing('say to which size, for example "expand data-db-0 to 50 GiB"; `crew storage` says what it needs')
    found = named_objects(request, wish, (CLAIMS,), SIZE)
    if not found:
        return nothing('name a volume claim of a cluster, for example "expand data-db-0 in shop to 50 GiB"')
    if len(found) > 1:
        return nothing(f"several are named so: {told(found)}; say which namespace or cluster")
    if against := unclear(request, wish, names_of(request, found[0]), SIZE):
        return nothing(against)
    target = found[0].subject
    present = int(read_claim(found[0].resource, found[0].cluster, {}).requested / GIB)
    wanted = int(size[1]) * (1024 if size[2].lower().startswith("t") else 1)
    if wanted <= present:
        return nothing(f"{target.name} has {present} GiB, and a volume can only grow")
    return proposed(
        request,
        Action(
            kind=KIND,
            target=target,
            parameters={"from_gib": present, "to_gib": wanted},
            reason=WHY,
            idempotency_key=key_of(request, KIND, target.key, wanted),
        ),
    )
