"""Webhooks: only signed ones, and nothing in them can break the reader."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.bitbucket.webhook import LARGEST_BODY, PipelineEvent, parse, signature_is_valid

SECRET = b"a shared secret"
STATUS = {
    "repository": {"full_name": "acme/shop"},
    "commit_status": {"state": "FAILED", "refname": "main", "commit": {"hash": "abc"}},
}


def signed(body: bytes, secret: bytes = SECRET) -> str:
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def test_a_right_signature_is_valid_in_either_case() -> None:
    assert signature_is_valid(SECRET, b"body", signed(b"body"))
    assert signature_is_valid(SECRET, b"body", signed(b"body").upper().replace("SHA256", "sha256"))


@pytest.mark.parametrize(
    "header",
    ["", "sha256=", "sha256", signed(b"other"), signed(b"body", b"other"), "sha1=" + "0" * 40, "sha256=ü", "=" * 5],
)
def test_everything_else_is_not(header: str) -> None:
    assert not signature_is_valid(SECRET, b"body", header)


def test_without_a_secret_nothing_is_valid() -> None:
    assert not signature_is_valid(b"", b"body", signed(b"body", b""))


def test_a_status_names_repository_commit_ref_and_state() -> None:
    event = parse("repo:commit_status_updated", json.dumps(STATUS).encode())
    assert event == PipelineEvent(repository="acme/shop", commit="abc", ref="main", state="FAILED")


def test_a_commit_named_by_link_only() -> None:
    body = {
        "repository": {"full_name": "acme/shop"},
        "commit_status": {"state": "INPROGRESS", "links": {"commit": {"href": "https://x.example/a/commit/f00"}}},
    }
    event = parse("repo:commit_status_created", json.dumps(body).encode())
    assert event is not None
    assert event.commit == "f00"


def test_a_push_is_a_reason_to_look_and_a_deleted_branch_does_not_break_it() -> None:
    body = {
        "repository": {"full_name": "acme/shop"},
        "push": {"changes": [{"new": {"name": "main", "target": {"hash": "abc"}}}]},
    }
    pushed = parse("repo:push", json.dumps(body).encode())
    assert pushed == PipelineEvent(repository="acme/shop", commit="abc", ref="main", state="PUSHED")
    body["push"] = {"changes": [{"new": None}]}
    assert parse("repo:push", json.dumps(body).encode()) == PipelineEvent(repository="acme/shop", state="PUSHED")


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("issue:created", json.dumps(STATUS).encode()),
        ("repo:commit_status_updated", b"not json"),
        ("repo:commit_status_updated", b"[]"),
        ("repo:commit_status_updated", b'{"repository": {"full_name": "noslash"}}'),
        ("repo:commit_status_updated", json.dumps({**STATUS, "x": "y" * LARGEST_BODY}).encode()),
        ("repo:commit_status_updated", b"[" * 200_000),
        ("repo:commit_status_updated", b"\xff\xfe"),
    ],
)
def test_other_events_and_other_bodies_are_none(key: str, body: bytes) -> None:
    assert parse(key, body) is None


@pytest.mark.parametrize(
    "name", ["acme/..", "acme/.", "acme/../x", "acme/", "acme/a b", "acme/" + "a" * 129, "acme/sh\u00f6p"]
)
def test_a_name_that_no_repository_can_have_is_no_reason_to_look(name: str) -> None:
    assert parse("repo:push", json.dumps({"repository": {"full_name": name}}).encode()) is None


def test_every_sign_of_a_slug_is_one_of_a_name() -> None:
    found = parse("repo:push", b'{"repository": {"full_name": "acme-2/a_b.c-4"}}')
    assert found is not None
    assert found.repository == "acme-2/a_b.c-4"


@given(st.binary(max_size=200), st.text(max_size=80))
def test_no_body_and_no_header_can_break_it(body: bytes, header: str) -> None:
    assert not signature_is_valid(SECRET, body, header)
    assert parse("repo:push", body) is None
