"""The list of needed series and the queries that are sent hold together."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest

from tools.victoriametrics.client import queries
from tools.victoriametrics.series import Need, needs

BY_PATTERN = re.compile(r'__name__=~"((?!\$)[^"]+)"')
BY_NAME = re.compile(r"\b([a-zA-Z_][a-zA-Z0-9_]*)\{")
GROUP = re.compile(r"\(([^()]*)\)(\??)")


def names_in(query: str) -> set[str]:
    """Every name of a series that a query asks for."""
    patterned = {name for pattern in BY_PATTERN.findall(query) for name in written_out(pattern)}
    return patterned | set(BY_NAME.findall(query))


def written_out(pattern: str) -> Iterator[str]:
    """ "a_(b|c)|d" is "a_b", "a_c" and "d"."""
    for alternative in re.split(r"\|(?![^()]*\))", pattern):
        pieces = GROUP.split(alternative)
        choices = [
            [*piece.split("|"), *([""] if pieces[place + 1] else [])] if place % 3 == 1 else [piece]
            for place, piece in enumerate(pieces)
            if place % 3 != 2
        ]
        yield from map("".join, itertools.product(*choices))


LISTED = {name for need in needs().values() for name in need.names}
SENT = {name: names_in(query.query) for name, query in queries().items() if name != "series_present"}


def test_patterns_are_written_out() -> None:
    assert set(written_out("a_(b|c)_x|d(_e|_f)?|g")) == {"a_b_x", "a_c_x", "d", "d_e", "d_f", "g"}


@pytest.mark.parametrize("query", SENT)
def test_each_query_has_its_series_in_the_list(query: str) -> None:
    assert SENT[query], "it asks for no series at all"
    assert SENT[query] <= LISTED


def test_no_series_is_listed_that_nothing_asks_for() -> None:
    assert set().union(*SENT.values()) == LISTED


def test_a_need_says_what_is_missing_and_asks_with_the_labels_of_the_cluster() -> None:
    need = Need(series=("a", "b"), one_of=("c", "d"), labels=("pod",), source="s", unseen="u")
    assert need.missing({"a", "b", "d"}) == ()
    assert need.missing({"a"}) == ("b", "c or d")
    assert need.query({"cluster": "prod"}) == (
        'count by (__name__) (last_over_time({__name__=~"a|b|c|d",cluster="prod",pod!=""}[15m]) keep_metric_names)'
    )
