"""The recorded answers of ``data/recorded``, served as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.bitbucket import START, Reply, http_client, scripted
from tools.bitbucket.client import BitbucketClient

FOLDER = Path(__file__).with_name("data") / "recorded"


def recorded(name: str) -> dict[str, Any]:
    """Status, headers and body of one file."""
    answer: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return answer


def reply_of(answer: dict[str, Any], **changed: Any) -> Reply:
    """As a server sends it. ``changed`` replaces fields of the body."""
    body = answer["body"]
    body = body | changed if isinstance(body, dict) else body
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    kept = {name: value for name, value in answer["headers"].items() if name.lower() != "content-length"}
    return answer["status"], kept, data


@contextmanager
def answering(name: str, **changed: Any) -> Iterator[BitbucketClient]:
    """A client of a server that answers each question with the recorded answer."""
    reply = reply_of(recorded(name), **changed)
    with scripted(lambda path, headers: reply) as server, http_client() as http:
        yield BitbucketClient(
            server.url, "acme", token="t0k3n", clock=lambda: START, sleep=lambda seconds: None, http=http
        )
