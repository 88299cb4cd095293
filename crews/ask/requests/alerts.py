"""The wish to silence an alert for a time."""

from __future__ import annotations

import re
from collections.abc import Sequence

from crews.ask.gather.collector import Request
from crews.ask.requests.proposal import WHY, Proposal, key_of, nothing, proposed, unclear
from opscrew.alerts.objects import object_words
from opscrew.answer.understand.request_words import names_said
from opscrew.answer.understand.subjects import spoken_names
from opscrew.model.action import Action
from opscrew.model.evidence import Evidence
from opscrew.model.subject import Subject
from opscrew.reading_time import minute
from tools.alert_records import RoutedAlert

LENGTH = re.compile(
    r"\bfor (?:the next )?(an?|\d{1,4}) ?(m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?)\b", re.IGNORECASE
)
MINUTES = {"m": 1, "h": 60, "d": 24 * 60}
UNSAID_MINUTES = 60
MOST_TOLD = 4
SHORTEST_ID = 6


def silence(request: Request, wish: str) -> Proposal:
    """For as long as the wish says, else for an hour. The alert must fire in Alertmanager now."""
    client = request.context.systems.alertmanager
    if client is None:
        return nothing("Alertmanager is not configured, and only it can silence")
    firing = client.alerts()
    found = _meant(request, wish, firing)
    if not found:
        names = ", ".join(sorted({one.name for one in firing})[:MOST_TOLD])
        return nothing(f"name an alert that fires now ({names})" if names else "no alert fires now")
    if len(found) > 1:
        return nothing(f"several are meant: {_told(found)}; name one by its id or its labels")
    alert, minutes = found[0], _minutes(wish)
    said = {word for word in _hexadecimal(wish) if alert.fingerprint.startswith(word)}
    if against := unclear(request, wish, {alert.name, *alert.labels.values(), *said}, LENGTH):
        return nothing(against)
    target = Subject(system="alertmanager", kind="alert", name=alert.fingerprint, url=alert.generator_url)
    since = f"{alert.name} fires since {minute(alert.starts_at)}"
    return proposed(
        request,
        Action(
            kind="silence_alert",
            target=target,
            parameters={"minutes": minutes},
            reason=f"{alert.name}: {WHY}",
            evidence=(Evidence(source="alertmanager", text=since, observed_at=request.now, link=alert.generator_url),),
            idempotency_key=key_of(request, "silence_alert", target.key, minutes),
        ),
    )


def _meant(request: Request, wish: str, firing: Sequence[RoutedAlert]) -> list[RoutedAlert]:
    """By its id; by its name and then its labels' values; else the one that the conversation is about."""
    ids = _hexadecimal(wish)
    if by_id := [one for one in firing if any(one.fingerprint.startswith(word) for word in ids)]:
        return by_id
    guessed = set(dict(request.understood.assumed).values())
    carried = {one.name for one in request.understood.subjects if one.kind == "alert"} - guessed
    names = names_said(wish, {one.name for one in firing}) or carried
    found = [one for one in firing if one.name in names]
    said = spoken_names(wish, {value for one in found for value in one.labels.values() if value != one.name})
    return [one for one in found if said & set(one.labels.values())] or found


def _hexadecimal(wish: str) -> set[str]:
    """Words that may be the beginning of an id."""
    return {word for word in re.findall(r"\b[0-9a-f]+\b", wish.lower()) if len(word) >= SHORTEST_ID}


def _minutes(wish: str) -> int:
    match = LENGTH.search(wish)
    if match is None:
        return UNSAID_MINUTES
    count = int(match[1]) if match[1].isdecimal() else 1
    return count * MINUTES[match[2][0].lower()]


def _told(found: Sequence[RoutedAlert]) -> str:
    parts = []
    for one in found[:MOST_TOLD]:
        words = object_words(one)
        parts.append(f"{one.fingerprint} {one.name}" + (f" ({words})" if words else ""))
    more = len(found) - MOST_TOLD
    return "; ".join(parts) + (f" and {more} more" if more > 0 else "")
