"""Where a list of Bitbucket's goes on, and where it ends.

Recorded answers show why ``next`` is not simply followed: that of the pipelines list holds the page's number alone, so
sort, branch and status are lost from the second page on, and some lists give no ``next`` although they go on. What we
asked for therefore stays as it was, and only the mark of the page is taken from the answer.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import httpx

MARKS = ("page", "ctx", "after")
"""Parts of ``next`` that say where the list goes on: commits carry a context beside the page, some lists only a place
to go on after. Everything else of an address is the question, which is ours."""


def values_of(answer: Any, *, is_first: bool) -> list[Any] | None:
    """The values of one page; None for an answer that is no list. Behind the last page some lists answer ``{}``."""
    if not isinstance(answer, dict):
        return None
    values = answer.get("values")
    if values is None and not is_first:
        return []
    return values if isinstance(values, list) else None


def next_address(first: httpx.URL, here: httpx.URL, answer: dict[str, Any], seen: int) -> httpx.URL | None:
    """The first question with the mark of the page behind ``here``; None at the end of the list.

    ``seen`` is how many values there were up to and with this page. A ``next`` is never followed itself: it may name
    another path (UUIDs in place of names) or another host.
    """
    marks = marks_of(answer.get("next")) or _counted_on(here, answer, seen)
    following = first.copy_merge_params(marks) if marks and answer.get("values") else here
    return None if following == here else following


def marks_of(following: Any) -> dict[str, str]:
    """What an address says about the place where the list goes on; empty where it says nothing."""
    if not isinstance(following, str):
        return {}
    # Reported too: a "next" of commits with an ampersand in place of its question mark.
    asked = parse_qs(following.partition("#")[0].replace("?", "&").partition("&")[2])
    return {name: asked[name][0] for name in MARKS if name in asked}


def _counted_on(here: httpx.URL, answer: dict[str, Any], seen: int) -> dict[str, str]:
    """The number behind this page's, where the page is full and its ``size`` does not say that this was all.

    Lists without ``size`` and ``next`` are recorded with thousands of entries behind a full page.
    """
    size, number = _count(answer.get("size")), _count(here.params.get("page", "1"))
    length = _count(answer.get("pagelen")) or _count(here.params.get("pagelen"))
    is_full = length is not None and len(answer.get("values") or ()) >= length
    is_all = size is not None and seen >= size
    return {"page": str(number + 1)} if number and is_full and not is_all else {}


def _count(value: Any) -> int | None:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number > 0 else None
