"""The one good sentence that an alert's rule says, out of annotations whose templates may have failed.

Go's templates leave their faults in the text: https://pkg.go.dev/text/template, https://pkg.go.dev/fmt (``%!verb(…)``),
and Prometheus its own: https://github.com/prometheus/prometheus/blob/main/template/template.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from opscrew.store.text import storable

ORDER = ("summary", "description", "message", "title")
"""Annotations that hold sentences, the shortest first: rules of all years have one of them."""
LONGEST = 200

_BROKEN = re.compile(
    r"<no value>|\[no value\]|<nil>|<error expanding template|error (?:executing|parsing|expanding) template"
    r"|%![a-zA-Z]?\(|\{\{|\}\}|\$labels?\b|\$value\b|map\[\]",
    re.IGNORECASE,
)
SIGNS = (*"<[{}%$", "template")
_FAILED = re.compile(r"[^.\n]*<error expanding template", re.IGNORECASE)
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])|\n+")
_LINK = re.compile(r"https?://\S+")
_EMPTY = re.compile(r"\s+(?=[.,;](?:\s|$))")


def sentence_of(annotations: Mapping[str, str]) -> str:
    """The first that holds no failed template; empty where there is none."""
    for text in _texts(annotations):
        # What follows a failed expansion is the error's own text.
        for sentence in _END.split(_FAILED.split(text)[0]):
            if is_good(sentence):
                return storable(_EMPTY.sub("", " ".join(sentence.split())), LONGEST)
    return ""


def text_of(annotations: Mapping[str, str]) -> str:
    """All that the annotations say, to look for names in."""
    return "\n".join(_texts(annotations))


def is_good(sentence: str) -> bool:
    """Whether it says something, and its template worked."""
    return not is_broken(sentence) and any(one.isalpha() for one in _LINK.sub("", sentence))


def is_broken(text: str) -> bool:
    """Whether a template failed in it."""
    # Most texts hold none of these signs, and in a storm there are very many of them.
    return any(sign in text for sign in SIGNS) and _BROKEN.search(text) is not None


def _texts(annotations: Mapping[str, str]) -> Iterator[str]:
    """Where no usual name is there, any other annotation that holds several words."""
    folded = {name.lower(): value for name, value in annotations.items() if not name.startswith("__")}
    yield from (folded[name] for name in ORDER if folded.get(name))
    others = (value for name, value in sorted(folded.items()) if name not in ORDER)
    yield from (value for value in others if " " in _LINK.sub("", value).strip())
