"""A small Kubernetes API client: lists in pages, watches, and the few writes that actions need. Raw JSON, no models.

Thread-safe. Every failure leaves as ``TemporaryError`` or ``PermanentError`` of ``tools.errors``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

import httpx
import orjson

from tools.errors import TemporaryError, UpstreamError
from tools.kubernetes.access import SYSTEM, Access
from tools.kubernetes.discovery import DISCOVERY_ACCEPT, custom_types, group_versions, types_of_group
from tools.kubernetes.failures import ExpiredError, StatusError, of_status, reason_of
from tools.kubernetes.fields import text
from tools.kubernetes.pages import Page, read_page
from tools.kubernetes.records import Resource, ResourceType, read_resource
from tools.kubernetes.trimming import trim
from tools.kubernetes.watches import OpenWatches, WatchEvent, watch_event
from tools.trust import trusted_certificates

_PAGE_SIZE = 500
_LIST_ATTEMPTS = 3
_HEAD_BYTES = 4096
_CONTINUE = re.compile(rb'"continue":"([^"]+)"')


class KubernetesClient:
    """Use as a context manager, or call ``close()``. ``transport`` lets tests cut the line."""

    def __init__(
        self,
        access: Access,
        *,
        timeout_seconds: float = 30,
        page_size: int = _PAGE_SIZE,
        transport: httpx.BaseTransport | None = None,
        on_response: Callable[[str], None] = lambda outcome: None,
    ) -> None:
        self._access = access
        self._page_size = page_size
        self._on_response = on_response
        self._watches = OpenWatches()
        self._http = httpx.Client(
            base_url=access.server,
            verify=access.tls if access.tls is not None else trusted_certificates(),
            auth=(access.user, access.password) if access.user else None,
            timeout=timeout_seconds,
            transport=transport,
            proxy=access.proxy or None,
            trust_env=False,  # a kubeconfig says everything, and a proxy of the shell is not meant for a cluster
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
            # Unpacking 30 MB costs less time than passing them through TLS and the HTTP parser in 16 KB records.
            headers={"Accept-Encoding": "gzip"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def end_watches(self) -> None:
        """Ends the watches that are under way, and at once those that are asked for later."""
        self._watches.end()

    def close(self) -> None:
        """Ends all watches and closes all connections."""
        self.end_watches()
        self._http.close()

    def version(self) -> str:
        """The server's version; also the cheapest way to see that it answers."""
        return text(self.request("GET", "/version"), "gitVersion")

    def may(self, verb: str, group: str, resource: str, namespace: str = "") -> bool:
        """Whether this account may do that; in every namespace where none is named. Asks the server, changes nothing.

        ``resource`` is a plural, with its subresource behind a slash.
        """
        name, _, part = resource.partition("/")
        wanted = {"verb": verb, "group": group, "resource": name, "subresource": part, "namespace": namespace}
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: value for key, value in wanted.items() if value}},
        }
        answer = self.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body=body)
        status = answer.get("status")
        return isinstance(status, dict) and status.get("allowed") is True

    def require_answer(self, seconds: float) -> None:
        """Raises ``UpstreamError`` unless the server answers within ``seconds``.

        A path that is refused or missing is an answer too; an account that is not known any more is none.
        """
        try:
            self._send("GET", "/version", None, timeout_seconds=seconds)
        except StatusError as problem:
            if problem.status == 401:
                raise

    def list_objects(
        self, kind: ResourceType, namespace: str = "", *, from_cache: bool = False
    ) -> tuple[list[dict[str, Any]], str]:
        """All objects of a type as trimmed JSON, and the version to watch from.

        ``from_cache`` asks for what the API server holds in its own memory, as its informers do at their start: in one
        answer, for a third of the server's time, and at most moments old.

        A list that outlives its continuation token, or is cut in the middle, is begun again: half a list would
        make what is missing look deleted.
        """
        problem: UpstreamError | None = None
        for _ in range(_LIST_ATTEMPTS):
            try:
                return self._list_once(kind, namespace, from_cache)
            except ExpiredError as expired:
                problem = expired
            except TemporaryError as cut:
                if problem is not None:
                    raise
                problem = cut
        assert problem is not None
        raise problem

    def _list_once(self, kind: ResourceType, namespace: str, from_cache: bool) -> tuple[list[dict[str, Any]], str]:
        found: list[dict[str, Any]] = []
        version = ""
        query = {"resourceVersion": "0"} if from_cache else {"limit": str(self._page_size)}
        for page in self._pages(kind.path(namespace), query):
            try:
                found += [trim(kind.kind, item) for item in page.items]
            except ValueError as problem:
                raise self._broken(kind.path(namespace)) from problem
            version = text(page.metadata, "resourceVersion")
        return found, version

    def _pages(self, path: str, query: Mapping[str, str]) -> Iterator[Page]:
        """Pages of a list; the next one is fetched while the caller works on the present one."""
        with ThreadPoolExecutor(1) as ahead:
            coming: Future[bytes] | None = ahead.submit(self._send, "GET", path, query)
            while coming is not None:
                content = coming.result()
                # The API server writes the metadata before the items, so the token can be had before decoding.
                early = _CONTINUE.search(content, 0, _HEAD_BYTES)
                if early:
                    coming = ahead.submit(self._send, "GET", path, {**query, "continue": early[1].decode()})
                page = self._page_of(content, path)
                token = text(page.metadata, "continue")
                if not early:
                    coming = ahead.submit(self._send, "GET", path, {**query, "continue": token}) if token else None
                yield page

    def _page_of(self, content: bytes, path: str) -> Page:
        try:
            page = read_page(content)
        except ValueError as problem:
            raise self._broken(path) from problem
        if not page.is_list:
            raise TemporaryError("the answer is not a list", system=SYSTEM, url=self._url(path))
        return page

    def resources(self, kind: ResourceType, namespace: str = "") -> list[Resource]:
        """The same list as records."""
        return [read_resource(raw, kind.api_version, kind.kind) for raw in self.list_objects(kind, namespace)[0]]

    def watch(self, kind: ResourceType, resource_version: str, seconds: int = 300) -> Iterator[WatchEvent]:
        """Changes since ``resource_version`` until the server ends the watch. Raises ``ExpiredError``."""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(seconds),
        }
        path = kind.path()
        try:
            timeout = httpx.Timeout(30, read=seconds + 30)
            with self._http.stream("GET", path, params=query, headers=self._headers(), timeout=timeout) as response:
                if response.is_error:
                    response.read()
                    raise of_status(response, self._url(response.url.path))
                with self._watches.one(response):
                    for line in response.iter_lines():
                        if line.strip():
                            yield watch_event(kind.kind, line, self._url(path))
        except httpx.HTTPError as problem:
            raise TemporaryError(reason_of(problem), system=SYSTEM, url=self._url(path)) from problem

    def custom_types(self) -> list[ResourceType]:
        """Listable types of custom groups, by discovery. One request where the server has aggregated discovery."""
        groups = self.request("GET", "/apis", accept=DISCOVERY_ACCEPT)
        if text(groups, "kind") == "APIGroupDiscoveryList":
            return custom_types(groups)
        return [
            found
            for version in group_versions(groups)
            for found in types_of_group(version, self.request("GET", f"/apis/{version}"))
        ]

    def get(self, kind: ResourceType, namespace: str, name: str) -> Resource | None:
        """One object, or None where there is none."""
        try:
            raw = self.request("GET", kind.path(namespace, name))
        except StatusError as problem:
            if problem.status == 404:
                return None
            raise
        return read_resource(raw, kind.api_version, kind.kind)

    def patch(
        self, kind: ResourceType, namespace: str, name: str, change: Mapping[str, Any], *, subresource: str = ""
    ) -> Resource:
        """A JSON merge patch. Put ``metadata.resourceVersion`` into it to refuse when somebody was faster."""
        path = kind.path(namespace, name) + (f"/{subresource}" if subresource else "")
        raw = self.request("PATCH", path, body=change, content_type="application/merge-patch+json")
        return read_resource(raw, kind.api_version, kind.kind)

    def patch_steps(
        self, kind: ResourceType, namespace: str, name: str, steps: Sequence[Mapping[str, Any]]
    ) -> Resource:
        """A JSON patch (RFC 6902): replaces parts as a whole, and can test first that nobody was faster."""
        path = kind.path(namespace, name)
        raw = self.request("PATCH", path, body=steps, content_type="application/json-patch+json")
        return read_resource(raw, kind.api_version, kind.kind)

    def delete(
        self, kind: ResourceType, namespace: str, name: str, *, uid: str, grace_seconds: int | None = None
    ) -> None:
        """Deletes exactly the object with that uid: a successor of the same name is left alone."""
        body: dict[str, Any] = {"preconditions": {"uid": uid}}
        if grace_seconds is not None:
            body["gracePeriodSeconds"] = grace_seconds
        self.request("DELETE", kind.path(namespace, name), body=body)

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> dict[str, Any]:
        """One request, one JSON object."""
        extra = {"Accept": accept}
        content = None
        if body is not None:
            extra["Content-Type"], content = content_type, orjson.dumps(body)
        return self._decoded(self._send(method, path, query, content, extra), path)

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float | None = None,
    ) -> bytes:
        sent = {**self._headers(), **(headers or {})}
        timeout = httpx.USE_CLIENT_DEFAULT if timeout_seconds is None else timeout_seconds
        try:
            response = self._http.request(method, path, params=query, headers=sent, content=content, timeout=timeout)
        except httpx.HTTPError as problem:
            self._on_response("error")
            raise TemporaryError(reason_of(problem), system=SYSTEM, url=self._url(path)) from problem
        self._on_response(str(response.status_code))
        if response.is_error:
            raise of_status(response, self._url(response.url.path))
        return response.content

    def _decoded(self, content: bytes, path: str) -> dict[str, Any]:
        try:
            decoded = orjson.loads(content)
        except orjson.JSONDecodeError as problem:
            raise self._broken(path) from problem
        if not isinstance(decoded, dict):
            raise TemporaryError("the answer is no JSON object", system=SYSTEM, url=self._url(path))
        return decoded

    def _broken(self, path: str) -> TemporaryError:
        return TemporaryError("the answer is cut off or no JSON", system=SYSTEM, url=self._url(path))

    def _headers(self) -> dict[str, str]:
        token = self._access.token()
        return {"Authorization": f"Bearer {token}"} if token else {}

    def _url(self, path: str) -> str:
        return f"{self._access.server}{path}"
