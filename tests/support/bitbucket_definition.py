"""Bitbucket's published API definition, where a copy of it is at hand, as a judge over requests and answers.

The file is not part of the project. It is looked for at BITBUCKET_OPENAPI, then beside the checkout.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parent.parent.parent
BESIDE = ROOT.parent / "shared" / "reference" / "bitbucket-openapi.json"

NEWER_THAN_THE_DEFINITION = ("/test_reports", "/pipelines-config/runners")
"""Parts of paths that the definition does not hold yet; nothing outside our own tests judges these."""


def definition_file() -> Path | None:
    """Where the definition is, or None."""
    path = Path(os.environ.get("BITBUCKET_OPENAPI", BESIDE))
    return path if path.is_file() else None


class Judge:
    """Raises openapi-core's error for a request or an answer that the definition does not allow."""

    def __init__(self, definition: Path, base_url: str) -> None:
        from openapi_core import OpenAPI

        content = json.loads(definition.read_text(encoding="utf-8"))
        content["servers"] = [{"url": base_url}]
        _forget_discriminators(content["components"]["schemas"])
        _give_commit_lists_an_answer(content)
        self._definition = OpenAPI.from_dict(content)
        self.judged: set[str] = set()
        self.not_in_definition: set[str] = set()

    def look_at(self, response: httpx.Response) -> None:
        """Judges one exchange that has taken place. Call with the body read."""
        path = response.request.url.path
        if any(part in path for part in NEWER_THAN_THE_DEFINITION):
            self.not_in_definition.add(path)
            return
        request = _Request(response.request)
        if response.status_code not in (206, 401, 403):  # general to HTTP, so the definition does not list them
            if response.request.method == "POST" or response.status_code < 400:
                self._definition.validate_request(request)
            if response.status_code == 204:  # the definition gives it empty content, which the library asks for
                assert response.content == b""
            else:
                self._definition.validate_response(request, _Response(response))
        self.judged.add(f"{response.request.method} {path}")


class _Request:
    """A sent httpx request in the shape that openapi-core reads."""

    def __init__(self, request: httpx.Request) -> None:
        from openapi_core.datatypes import RequestParameters

        self.parameters = RequestParameters(
            query=dict(request.url.params), header=dict(request.headers), cookie={}, path={}
        )
        self.method = request.method.lower()
        self.body = request.content or None
        self.content_type = request.headers.get("content-type", "")
        self.host_url = f"{request.url.scheme}://{request.url.netloc.decode()}"
        self.path = request.url.path


class _Response:
    def __init__(self, response: httpx.Response) -> None:
        self.status_code = response.status_code
        self.headers = dict(response.headers)
        self.data = response.content or None
        self.content_type = response.headers.get("content-type", "").partition(";")[0]


def _forget_discriminators(schemas: dict[str, Any]) -> None:
    """The definition discriminates by ``type`` and then leaves out the kinds ("pipeline_ref_target") it names."""
    for schema in schemas.values():
        for part in (schema, *schema.get("allOf", ())):
            part.pop("discriminator", None)


def _give_commit_lists_an_answer(content: dict[str, Any]) -> None:
    """The definition describes only the error of a commit list; its success is the same list as a pull request's."""
    path = "/repositories/{workspace}/{repo_slug}/commits/{revision}"
    schema = {"$ref": "#/components/schemas/paginated_pullrequests_commits"}
    content["paths"][path]["get"]["responses"]["200"] = {
        "description": "Commits",
        "content": {"application/json": {"schema": schema}},
    }
