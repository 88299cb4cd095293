"""Which names a question about logs asks for, and which sources of log lines have them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

from crews.collectors.collector import Request
from opscrew.answer.name_places import NO_NAME, cued_words, is_ordinary
from opscrew.answer.subjects import spoken_names
from tools.victorialogs.fields import LogFields
from tools.victorialogs.records import Group

OF_LOGS = re.compile(
    r"\b(?:of|for|from|in|by|does|did|has|is) (?:the |our )?"
    r"(?:(?:pods?|services?|apps?|namespace|workload|container) )?"
    r"(?!(?:the|our)\b)([a-z0-9][\w.-]*[\w])",
    re.IGNORECASE,
)
"""Where the name stands in "errors in the logs of cart", "what does cart log", "log lines from pod cart-7f9c"."""

WRITES_NO_LOGS = ("branch", "pipeline", "repository")
SHARES = 0.6


def asked_names(request: Request, groups: Sequence[Group], fields: LogFields) -> tuple[list[str], list[str]]:
    """The names that the question asks for: those that sources of log lines have, and those that none has."""
    known = {name for one in groups for name in labels(one, fields)}
    found = spoken_names(request.question, known)
    found |= {one.name for one in request.understood.subjects if one.name in known}
    asked = {one.name for one in request.understood.subjects if one.kind not in WRITES_NO_LOGS}
    words = {word for word, _ in request.understood.near} | set(cued_words(request.question))
    asked |= words | {word.lower() for word in OF_LOGS.findall(request.question)}
    said = {_plain(name) for name in found}
    unheard = {
        name
        for name in asked - found
        if _plain(name) not in said
        and not any(_plain(name) in other for other in said)
        and not (is_ordinary(name.lower()) or NO_NAME.fullmatch(name) or re.match(r"[\d:.]+$|\d+[hmdw]$", name))
    }
    return sorted(found), sorted(unheard)


def labels(group: Group, fields: LogFields) -> set[str]:
    """Cluster, namespace, pod, workload and service of it."""
    found = {value for value in group.values.values() if value}
    for field in fields.pod:
        parts = group.values.get(field, "").split("-")
        # Every beginning of a pod's name may be its workload's: cart-7f9c-x2k4q is of cart.
        found |= {"-".join(parts[:count]) for count in range(1, len(parts))}
    return found - {""}


def like(name: str, groups: Sequence[Group], fields: LogFields) -> list[str]:
    """At most three that resemble it."""
    known = sorted({label for one in groups for label in labels(one, fields)})
    return difflib.get_close_matches(name, known, n=3, cutoff=SHARES)


def writer(values: Mapping[str, str], fields: LogFields) -> str:
    """What people call the source."""
    named = (*fields.pod, *fields.service, *fields.namespace, *fields.cluster)
    return next((values[field] for field in named if values.get(field)), "unnamed sources")


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name.lower())
