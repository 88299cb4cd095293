"""What the name of a field says about the text under it: a state, the past, a request, a time."""

from __future__ import annotations

from functools import lru_cache

from opscrew.cluster.custom.vocabulary import word_lists, words_of


@lru_cache(maxsize=4096)
def is_state_field(name: str) -> bool:
    """Whether the text under this field is a state word ("phase", "healthStatus")."""
    words = words_of(name)
    return bool(words) and word_lists()["state_fields"].holds(words[-1]) and not is_ignored_field(name)


@lru_cache(maxsize=1024)
def is_plain_failure(name: str, text: str) -> bool:
    """Whether the whole text of a field is bad news whatever the field is called ("robustness: faulted")."""
    words = words_of(text)
    plain = len(words) == 1 and word_lists()["plain_failures"].any_of(words)
    return plain and not is_ignored_field(name) and not is_aside_field(name)


@lru_cache(maxsize=4096)
def is_aside_field(name: str) -> bool:
    """Whether the field tells of the past or of what should be done ("lastRun", "failurePolicy")."""
    return word_lists()["aside_fields"].any_of(words_of(name))


@lru_cache(maxsize=4096)
def is_ignored_field(name: str) -> bool:
    """Whether states below this field say nothing about now."""
    return word_lists()["ignored_fields"].any_of(words_of(name))


@lru_cache(maxsize=4096)
def is_end_time(name: str) -> bool:
    """Whether the field holds the time at which a part came to its end ("finishedAt")."""
    return "".join(words_of(name)) in word_lists()["end_times"].words


@lru_cache(maxsize=4096)
def is_ready_field(name: str) -> bool:
    """Whether true or false under this field says outright that the object can be used ("readyToUse")."""
    return "".join(words_of(name)) in word_lists()["ready_fields"].words


@lru_cache(maxsize=1024)
def asks_for_hold(name: str) -> bool:
    """Whether an annotation of this name asks the controller to leave the object alone ("pause-reconciliation")."""
    return word_lists()["hold_requests"].any_of(words_of(name))
