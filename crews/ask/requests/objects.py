"""Finds the one object of a cluster that a wish names, among those that are there now.

Records know what is broken; a wish may be about what is well. And a name may stand in two namespaces, of which records
know one: whoever acts must look.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

from crews.ask.gather.collector import Request
from crews.ask.live_objects import Live, list_live
from crews.ask.names import owner_of
from opscrew.answer.understand.name_places import is_ordinary, words_that_place
from opscrew.answer.understand.request_words import names_said, places_said, without
from opscrew.answer.understand.subjects import spoken_names
from tools.errors import TemporaryError
from tools.kubernetes.records import ResourceType

LOOK_SECONDS = 5.0
"""For all clusters together; a person waits for it."""
MOST_TOLD = 4

PLACES: tuple[Callable[[Live], str], ...] = (lambda one: one.resource.namespace, lambda one: one.cluster)
"""What tells objects of one name apart, besides their kind."""


def named_objects(
    request: Request, wish: str, kinds: Sequence[ResourceType], amount: re.Pattern[str] | None = None
) -> list[Live]:
    """Those that the wish names, else those that the conversation is about; narrowed by the kind, the namespace and
    the cluster that it names. ``amount`` is how the number is said that belongs to the wish and to no name. Raises
    ``UpstreamError`` where a cluster does not answer: its objects might be meant."""
    live = _live(request, kinds)
    question, wish = without(request.question, amount), without(wish, amount)
    all_places = {place(one) for one in live for place in PLACES}
    every = {one.resource.name for one in live}
    # The question itself; where it holds none, the wish that it corrects.
    names = names_said(question, every, all_places) or names_said(wish, every, all_places)
    found = [one for one in live if one.resource.name in names]
    if not found:
        refused = spoken_names(question, every)
        found = [one for one in _carried(request, live) if one.resource.name not in refused]
    of_kind = {one.resource.kind for one in live}
    of_kind = (spoken_names(question, of_kind) or spoken_names(wish, of_kind)) - names
    found = [one for one in found if not of_kind or one.resource.kind in of_kind]
    for place in PLACES:
        # Of all that there are: a place where nothing of that name is leaves nothing.
        there = {place(one) for one in live} - names
        meant = places_said(question, there) or places_said(wish, there)
        found = [one for one in found if not meant or place(one) in meant]
    return [] if _is_elsewhere(request.question, live) else found


def names_of(request: Request, one: Live) -> tuple[str, ...]:
    """What a wish may say of an object: what it is called, one of its pods, and where it lies."""
    pods = (subject for subject in request.understood.subjects if owner_of(subject))
    mine = (pod.name for pod in pods if (owner := owner_of(pod)) and owner.name == one.resource.name)
    return (one.resource.name, one.resource.namespace, one.cluster, *mine)


def is_namespace(request: Request, name: str, kinds: Sequence[ResourceType]) -> bool:
    """Whether objects of these kinds lie in a namespace of that name."""
    return any(one.resource.namespace == name for one in _live(request, kinds))


def _is_elsewhere(question: str, live: Sequence[Live]) -> bool:
    """Whether it names a place that is none of the clusters and namespaces: "in zorbax"."""
    there = {word for one in live for word in (one.resource.name, one.resource.namespace, one.cluster)}
    said = spoken_names(question, there)
    return any(word not in said and not is_ordinary(word) for word in words_that_place(question))


def told(found: Sequence[Live]) -> str:
    """For a person who must say which: "Deployment prod/shop/cart, Deployment prod/stage/cart"."""
    names = [f"{one.subject.kind} {one.subject.scope}/{one.subject.name}" for one in found]
    more = len(names) - MOST_TOLD
    return ", ".join(names[:MOST_TOLD]) + (f" and {more} more" if more > 0 else "")


def _carried(request: Request, live: Sequence[Live]) -> list[Live]:
    """A misspelt name is good enough to read by, never to act on. A pod stands for its workload."""
    guessed = set(dict(request.understood.assumed).values())
    subjects = [one for one in request.understood.subjects if one.system == "kubernetes" and one.name not in guessed]
    places = {(one.scope, one.name) for subject in subjects for one in (subject, owner_of(subject)) if one}
    return [one for one in live if (one.subject.scope, one.subject.name) in places]


def _live(request: Request, kinds: Sequence[ResourceType]) -> list[Live]:
    found: list[Live] = []
    asked = list_live(request.context, kinds)
    ends = time.monotonic() + LOOK_SECONDS
    for cluster, answer in asked:
        try:
            found += answer.result(max(0.0, ends - time.monotonic()))
        except TimeoutError as late:
            raise TemporaryError(f"the cluster {cluster} does not answer", system="kubernetes") from late
    return found
