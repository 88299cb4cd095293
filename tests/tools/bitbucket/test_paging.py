"""Lists in pages, in the shapes that Bitbucket is recorded to answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.bitbucket import START, Reply, as_json, http_client, scripted
from tools.bitbucket.client import BitbucketClient
from tools.errors import PermanentError


def builds(count: int, first: int = 1) -> list[dict[str, Any]]:
    return [
        {"uuid": f"{{{n}}}", "build_number": n, "created_on": START.isoformat()} for n in range(first, first + count)
    ]


def listing(answer: Callable[[int], Any], **question: Any) -> tuple[list[int], list[dict[str, str]]]:
    """Build numbers that the client lists where page ``n`` is ``answer(n)``, and the queries it asked with."""

    def reply(path: str, headers: dict[str, str]) -> Reply:
        query = parse_qs(urlsplit(path).query)
        return as_json(answer(int(query.get("page", ["1"])[0])))

    with scripted(reply) as server, http_client() as http:
        client = BitbucketClient(server.url + "/2.0", "acme", clock=lambda: START, http=http)
        found = client.pipelines("shop", **question)
    queries = [{key: values[0] for key, values in parse_qs(urlsplit(one[1]).query).items()} for one in server.requests]
    assert {urlsplit(one[1]).path for one in server.requests} == {"/2.0/repositories/acme/shop/pipelines/"}
    return [one.build_number for one in found], queries


LOST = "https://api.bitbucket.org/2.0/repositories/%7Bw%7D/%7Br%7D/pipelines/?pagelen=100&page="


def test_a_next_that_forgot_the_question_gives_its_page_number_alone() -> None:
    def answer(number: int) -> Any:
        body = {"page": number, "pagelen": 100, "size": 300, "values": builds(100, 1 + 100 * (number - 1))}
        return body | ({"next": f"{LOST}{number + 1}"} if number < 3 else {})

    found, queries = listing(answer, branch="main", status="FAILED", limit=1000)
    assert found == list(range(1, 301))
    asked = {"sort": "-created_on", "target.branch": "main", "status": "FAILED", "pagelen": "100"}
    assert queries == [asked, asked | {"page": "2"}, asked | {"page": "3"}]


@pytest.mark.parametrize("end", [{}, {"values": []}, {"pagelen": 100, "page": 3, "values": None}])
def test_a_full_page_without_next_is_asked_on_and_an_empty_one_ends_the_list(end: Any) -> None:
    found, queries = listing(lambda n: {"pagelen": 100, "values": builds(100, n * 100)} if n < 3 else end, limit=1000)
    assert len(found) == 200
    assert [one.get("page") for one in queries] == [None, "2", "3"]


def test_the_length_that_counts_is_the_one_the_server_keeps_to() -> None:
    found, _ = listing(lambda n: {"pagelen": 10, "values": builds(10 if n < 3 else 4, n * 10)}, limit=1000)
    assert len(found) == 24


def test_a_size_that_is_reached_costs_no_further_request() -> None:
    found, queries = listing(lambda n: {"pagelen": 2, "size": 2, "values": builds(2)}, limit=1000)
    assert (found, len(queries)) == ([1, 2], 1)


def test_a_server_that_gives_one_page_for_ever_ends() -> None:
    found, queries = listing(lambda n: {"pagelen": 2, "values": builds(2)}, limit=1000)
    assert (found, len(queries)) == ([1, 2], 2)
    found, queries = listing(lambda n: {"pagelen": 2, "values": builds(2), "next": f"{LOST}{3 - n}"}, limit=1000)
    assert (found, len(queries)) == ([1, 2], 2)


def test_builds_that_begin_while_the_list_is_read_are_not_told_twice() -> None:
    """The list moves by one between two pages, so the last of a page is the first of the next."""
    found, _ = listing(lambda n: {"pagelen": 5, "values": builds(5, 1 + (n - 1) * 4) if n < 4 else []}, limit=1000)
    assert found == list(range(1, 14))


def test_a_place_in_a_list_that_is_no_number_is_passed_on() -> None:
    pages = {"": ("abc", 1), "abc": ("def", 3), "def": ("", 5)}

    def reply(path: str, headers: dict[str, str]) -> Reply:
        mark = parse_qs(urlsplit(path).query).get("after", [""])[0]
        following, first = pages[mark]
        body = {"values": builds(2, first)} | ({"next": f"/other?after={following}&q=x"} if following else {})
        return as_json(body)

    with scripted(reply) as server, http_client() as http:
        client = BitbucketClient(server.url, "acme", clock=lambda: START, http=http)
        assert [one.build_number for one in client.pipelines("shop")] == [1, 2, 3, 4, 5, 6]


def test_a_list_that_breaks_off_with_something_else_is_an_error() -> None:
    with pytest.raises(PermanentError, match="not a list"):
        listing(lambda n: {"pagelen": 2, "values": builds(2)} if n == 1 else ["?"], limit=1000)
    with pytest.raises(PermanentError, match="not a list"):
        listing(lambda n: {}, limit=1000)
