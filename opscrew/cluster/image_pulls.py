"""Why an image could not be pulled, told from the words of the container runtime and the registry."""

from __future__ import annotations

from collections.abc import Iterable

# In this order: a rate limit is answered with 429 and often mentions authentication as the way out.
_CAUSES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("the registry limits how often this cluster may pull", ("toomanyrequests", "rate limit", "429", "quota exceeded")),
    (
        "the registry refuses the credentials, or there are none",
        (
            "unauthorized",
            "authentication required",
            "no basic auth",
            "denied",
            "401",
            "403",
            "forbidden",
            "pull access denied",
            "insufficient_scope",
            "unable to retrieve some image pull secrets",
        ),
    ),
    (
        "the image or its tag does not exist",
        ("not found", "manifest unknown", "name unknown", "does not exist", "404", "repository name not known"),
    ),
    ("the image is not built for this node's architecture", ("no match for platform", "no matching manifest")),
    ("the node has no room left for the image", ("no space left",)),
    ("the registry's certificate is not trusted", ("x509", "certificate")),
    (
        "the registry cannot be reached",
        (
            "i/o timeout",
            "no such host",
            "connection refused",
            "connection reset",
            "tls handshake timeout",
            "deadline exceeded",
            "network is unreachable",
            "server misbehaving",
            "500",
            "502",
            "503",
            "504",
            "eof",
        ),
    ),
)


def pull_failure_cause(messages: Iterable[str]) -> str:
    """Half a sentence, or an empty text where the messages do not say."""
    whole = " ".join(messages).lower()
    return next((cause for cause, words in _CAUSES if any(word in whole for word in words)), "")
