"""Reads an alert's expression the way a person does: which metrics, about what, and never mind the arithmetic.

An expression is mostly functions, groupings and labels of the installation. What it is about stands in the metric
names, in the few matchers that are not routine, and in the idiom `up == 0` or `absent(…)`, which says "down".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from opscrew.memory.word_index import JOINT_WEIGHT, WordIndex
from opscrew.memory.words import listed, split_name, stem

COMMENT = re.compile(r"#[^\n]*")
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", re.IGNORECASE)
MATCHERS = re.compile(r"\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)\s*(=~|!=|!~|=)\s*"([^"]*)"')
WINDOW = re.compile(r"\[[^\]]*\]")
METRIC = re.compile(r"[A-Za-z_:][\w:]*")
AVAILABILITY = re.compile(r"(?<![\w:])up(?![\w:])|\babsent(?:_over_time)?\b")

QUERY_SIGNS = (
    re.compile(r'\{[^}]*=~?\s*"[^"]*"[^}]*\}'),
    re.compile(r"\[\d+[smhdw](?::\w*)?\]"),
    re.compile(
        r"\b(?:rate|increase|irate|sum|avg|max|min|count|absent|vector|histogram_quantile)\s*(?:by|without)?\s*\("
    ),
    re.compile(r"^[\s(]*[a-z_:][\w:]*_\w+\s*(?:\{|[<>=!]=?\s*[\d.]+|[-+*/]\s*[\w(])"),
    re.compile(r"^\s*up\s*[={]"),
)

MATCHER_WEIGHT = 0.5
"""A matcher's value narrows a metric but rarely names the problem."""


def is_promql(text: str) -> bool:
    """True for an expression, false for prose that mentions one: most of the text must be the expression."""
    expression = COMMENT.sub("", text)
    prose = len(
        re.findall(r"(?<![\w{\"=])\b(?:the|is|are|has|have|this|that|why|what|when|of|to)\b(?!\s*\()", expression)
    )
    return prose <= 1 and any(sign.search(expression) for sign in QUERY_SIGNS)


def weighted_metrics(expression: str, index: WordIndex) -> Mapping[str, float]:
    """Words with weights. Each counts once, however often the expression repeats its metric."""
    query: dict[str, float] = {}
    for name, weight in _subjects(expression):
        parts = [part for part in split_name(name) if part not in listed("metric_endings")]
        found = [word for part in parts for word in _known_words(part, index)]
        for word in found:
            query[word] = max(query.get(word, 0), weight)
        for first, second in pairwise(found):
            query[first + second] = max(query.get(first + second, 0), weight * JOINT_WEIGHT)
    return query


def _subjects(expression: str) -> Iterator[tuple[str, float]]:
    expression = GROUPING.sub(" ", COMMENT.sub("", expression))
    about_availability = AVAILABILITY.search(expression) is not None
    for block in MATCHERS.findall(expression):
        for label, operator, value in MATCHER.findall(block):
            if label not in listed("routine_labels") and operator in ("=", "=~"):
                yield value.replace("|", " "), MATCHER_WEIGHT
            elif label == "job" and about_availability:
                yield value, 1.0  # up{job="apiserver"}: here the job is the subject
    plain = WINDOW.sub(" ", MATCHERS.sub(" ", expression))
    for name in dict.fromkeys(METRIC.findall(plain)):
        if name.lower() not in listed("query_functions"):
            yield name, 1.0
    if about_availability:
        yield "down target", 1.0


def _known_words(part: str, index: WordIndex) -> list[str]:
    """The word itself, and its two halves where the documents know both: resourcequota, filefd, statefulset."""
    word = stem(part)
    halves = _halves(part, index)
    if word not in index:
        return halves or [word]
    return [word, *halves] if len(part) > 7 else [word]


def _halves(part: str, index: WordIndex) -> list[str]:
    """The split whose rarer half is most common; none when no split has two halves in several documents."""
    best: list[str] = []
    commonest = 1
    for cut in range(3, len(part) - 2):
        pair = [stem(part[:cut]), stem(part[cut:])]
        having = min(index.documents_with(half) for half in pair)
        if having > commonest:
            best, commonest = pair, having
    return best
