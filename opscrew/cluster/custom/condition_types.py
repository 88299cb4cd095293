"""What the type of a condition means by its words: good or bad news when True, a promise, or just an activity."""

from __future__ import annotations

from functools import lru_cache

from opscrew.cluster.custom.tones import is_negated
from opscrew.cluster.custom.vocabulary import word_lists, words_of


@lru_cache(maxsize=1024)
def words_of_type(condition_type: str) -> tuple[str, ...]:
    """Words without the domain that some operators put in front ("example.org/Applied")."""
    return tuple(words_of(condition_type.rpartition("/")[2]))


@lru_cache(maxsize=1024)
def is_negative_type(condition_type: str) -> bool:
    """Whether True is the bad news for a condition of this type ("Degraded", "NotReady", "DiskPressure")."""
    words = words_of_type(condition_type)
    if is_negated(" ".join(words)):
        rest = words[1:]
        promises = rest[:1] in (("matching",), ("found",)) or is_promising_type("".join(rest))
        return promises and not _speaks_of_trouble(rest)  # "NoWarnings" is good news
    if words and words[-1] == "free":  # "ErrorFree"
        return False
    joined = "".join(words)
    if "notready" in joined or "notfound" in joined:
        return True
    # "FailureDetectorReady" tells of readiness, and of what is none of a failure.
    mended = word_lists()["mending_types"].any_of(words[-1:])
    return not mended and word_lists()["negative_types"].any_of(words)


def _speaks_of_trouble(words: tuple[str, ...]) -> bool:
    return word_lists()["negative_types"].any_of(words) or word_lists()["failure"].any_of(words)


@lru_cache(maxsize=1024)
def is_choice_type(condition_type: str) -> bool:
    """Whether the type tells what was chosen or what may be done ("Upgradeable"), so that False is no fault."""
    words = words_of_type(condition_type)
    lists = word_lists()
    able = bool(words) and words[-1].endswith("able") and not lists["promising_types"].holds(words[-1])
    return able or lists["choice_types"].any_of(words[-1:])


@lru_cache(maxsize=1024)
def is_end_type(condition_type: str) -> bool:
    """Whether True only says that the work is over ("Completed"), and the reason how it went."""
    words = words_of_type(condition_type)
    return len(words) == 1 and word_lists()["good_ends"].any_of(words)


@lru_cache(maxsize=1024)
def is_past_type(condition_type: str) -> bool:
    """Whether the type tells how something went the last time ("LastAsyncOperation")."""
    return words_of_type(condition_type)[:1] == ("last",)


@lru_cache(maxsize=1024)
def is_error_type(condition_type: str) -> bool:
    """Whether the type names an error outright ("SyncError"), so that its mere presence is bad news."""
    words = words_of_type(condition_type)
    return bool(words) and words[-1] in ("error", "failed", "failure")


@lru_cache(maxsize=1024)
def is_promising_type(condition_type: str) -> bool:
    """Whether False needs an excuse ("Ready", "Synced", "ResolvedRefs"), other than for "Active" or "Fallback"."""
    words = words_of_type(condition_type)
    lists = word_lists()
    participle = any(word.endswith("ed") and not lists["promising_exceptions"].holds(word) for word in words)
    return participle or lists["promising_types"].any_of(words)


@lru_cache(maxsize=1024)
def is_verdict_type(condition_type: str) -> bool:
    """Whether the type is what a controller has decided ("Accepted"), so that False is a refusal and no waiting."""
    return word_lists()["verdict_types"].any_of(words_of_type(condition_type))


@lru_cache(maxsize=1024)
def is_activity_type(condition_type: str) -> bool:
    """Whether the type tells what is going on ("Reconciling") rather than how the object is."""
    return word_lists()["activity_types"].any_of(words_of_type(condition_type))


@lru_cache(maxsize=1024)
def is_hold_type(condition_type: str) -> bool:
    """Whether True means that a person put the object on hold ("Paused")."""
    words = words_of_type(condition_type)
    return len(words) == 1 and word_lists()["hold_types"].any_of(words)


@lru_cache(maxsize=1024)
def is_summary_type(condition_type: str) -> bool:
    """Whether True sums the object up ("Ready", "example.Ready"), so that what else is undecided does not matter."""
    words = words_of(condition_type.rpartition("/")[2].rpartition(".")[2])
    return len(words) == 1 and word_lists()["summary_types"].any_of(words)
