"""Bitbucket's webhooks: is it really from Bitbucket, and does it tell of a pipeline.

A webhook only says "look now". Nothing in its body is acted upon; the crew asks the API for the facts.
https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/ describes signature and events.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from tools.bitbucket.shapes import inner, text_at

LARGEST_BODY = 512 * 1024
"""Bytes. Bitbucket's own are below 256 kB; a larger one is not read at all."""
STATUS_EVENTS = ("repo:commit_status_created", "repo:commit_status_updated")
NAME_LENGTH = 255
FULL_NAME = re.compile(r"[\w.-]{1,128}/(?!\.{1,2}$)[\w.-]{1,128}", re.ASCII)
"""Workspace and slug, of letters, digits and three signs each. Anything else names no repository to look at."""


class PipelineEvent(BaseModel):
    """Something changed. ``repository`` is "workspace/slug"; the others are "" where the event does not say.

    ``state`` is INPROGRESS, SUCCESSFUL, FAILED, STOPPED for a status, PUSHED for a push. ``at`` is when a status
    changed; for a push none is known, since commits carry the time of their author's clock.
    """

    model_config = ConfigDict(frozen=True)

    repository: str
    commit: str = ""
    ref: str = ""
    state: str = ""
    at: datetime | None = None


def signature_is_valid(secret: bytes, body: bytes, header: str) -> bool:
    """Whether ``header`` (X-Hub-Signature, "sha256=<hex>") was made with ``secret`` over ``body``.

    Compared in constant time. Without a secret nothing is valid: an open webhook would let strangers spend the
    request budget.
    """
    method, _, digest = header.strip().partition("=")
    if not secret or method.lower() != "sha256":
        return False
    expected = hmac.new(secret, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), digest.strip().lower().encode("utf-8", "replace"))


def parse(event_key: str, body: bytes) -> PipelineEvent | None:
    """The event, or None for other events, for bodies that are no JSON, and for ones without a repository."""
    if len(body) > LARGEST_BODY:
        return None
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    repository = text_at(data, "repository", "full_name")
    if not FULL_NAME.fullmatch(repository):
        return None
    if event_key in STATUS_EVENTS:
        return _status(repository, data)
    return _push(repository, data) if event_key == "repo:push" else None


def _status(repository: str, data: Any) -> PipelineEvent:
    commit = text_at(data, "commit_status", "commit", "hash")
    if not commit:  # older bodies name the commit only in a link: …/commit/<hash>
        commit = text_at(data, "commit_status", "links", "commit", "href").rpartition("/commit/")[2]
    return PipelineEvent(
        repository=repository,
        commit=commit[:NAME_LENGTH],
        ref=text_at(data, "commit_status", "refname")[:NAME_LENGTH],
        state=text_at(data, "commit_status", "state")[:NAME_LENGTH].upper(),
        at=_moment(text_at(data, "commit_status", "updated_on")),
    )


def _moment(text: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(text)
        return read.astimezone(UTC) if read.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _push(repository: str, data: Any) -> PipelineEvent:
    changes = inner(data, "push", "changes")
    newest = inner(changes[0], "new") if isinstance(changes, list) and changes else None
    return PipelineEvent(
        repository=repository,
        commit=text_at(newest, "target", "hash")[:NAME_LENGTH],
        ref=text_at(newest, "name")[:NAME_LENGTH],
        state="PUSHED",
    )
