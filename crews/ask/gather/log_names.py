"""Which names a question about logs asks for, and which sources of log lines have them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

from crews.ask.gather.collector import Request
from opscrew.answer.times.ranges import find_range
from opscrew.answer.understand.name_places import NO_NAME, cued_words, is_ordinary, name_words
from opscrew.answer.understand.subjects import spoken_names
from tools.victorialogs.fields import LogFields
from tools.victorialogs.records import Group

NAME = r"(?:the |our |all )*(?:(?:pod|service|app|namespace|ns|deployment|workload|container) )?([a-z0-9][\w.-]*\w)"
SAID = (
    re.compile(
        r"(?=\b(?:log|error|trace|panic|exception|message|warning|line|failure)s?"
        r"(?: lines?| errors?| messages?| entries)? (?:of|for|from|by|in) " + NAME + ")",
        re.IGNORECASE,
    ),
    re.compile(r"\b(?:does|did|do|has|is|are) " + NAME + r" (?:log|write|wrote|print|say)", re.IGNORECASE),
)
"""Where a name stands in "errors in the logs of cart", "log lines from pod cart-7f9c", "what does cart log"."""

WRITES_NO_LOGS = ("branch", "pipeline", "repository")
SHARES = 0.6


def asked_names(request: Request, groups: Sequence[Group], fields: LogFields) -> tuple[list[str], list[str]]:
    """The names that the question asks for: those that sources of log lines have, and those that none has."""
    known = {name for one in groups for name in labels(one, fields)}
    found = spoken_names(request.question, known)
    found |= {one.name for one in request.understood.subjects if one.name in known}
    asked = {one.name for one in request.understood.subjects if one.kind not in WRITES_NO_LOGS}
    whole = {one.name for one in request.understood.subjects if one.kind == "cluster" and is_whole(request, fields)}
    asked |= {word for word, _ in request.understood.near} | set(cued_words(request.question))
    asked = {name for name in asked if not (is_ordinary(name.lower()) or NO_NAME.fullmatch(name))}
    asked |= {word for place in SAID for word in place.findall(request.question) if _may_name(word.lower(), request)}
    said = {_plain(name) for name in found}
    unheard = {
        name
        for name in asked - found - whole
        if _plain(name) not in said and not any(_plain(name) in other for other in said)
    }
    return sorted(found), sorted(unheard)


def _may_name(word: str, request: Request) -> bool:
    """Of a word where a name stands: no time and no topic of questions, whatever else it means in plain English."""
    words, zone = name_words(), request.context.settings.zone
    if word in words.never | words.topics | words.beside_logs or re.fullmatch(r"[\d:.]+|\d+[a-z]{1,3}", word):
        return False
    return all(find_range(time, request.now, zone) is None for time in (word, f"in {word}", f"on {word}"))


def is_whole(request: Request, fields: LogFields) -> bool:
    """Whether a named cluster is all that the store holds: it is the only one, and no field tells it from others."""
    return not fields.cluster and len(request.context.settings.kubernetes) == 1


def places(names: Sequence[str], groups: Sequence[Group], fields: LogFields) -> list[str]:
    """Those of the names that only namespaces and clusters have: they say where, and not what."""
    naming = (*fields.pod, *fields.service)
    things = {one for group in groups for one in labels(_only(group, naming), fields)}
    return [name for name in names if name not in things]


def labels(group: Group, fields: LogFields) -> set[str]:
    """Cluster, namespace, pod, workload and service of it."""
    found = {value for value in group.values.values() if value}
    for field in fields.pod:
        parts = group.values.get(field, "").split("-")
        # Every beginning of a pod's name may be its workload's: cart-7f9c-x2k4q is of cart.
        found |= {"-".join(parts[:count]) for count in range(1, len(parts))}
    return found - {""}


def _only(group: Group, names: Sequence[str]) -> Group:
    return Group({field: value for field, value in group.values.items() if field in names}, group.count)


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
