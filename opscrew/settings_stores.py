"""Systems at an address, the stores of metrics and logs among them, and which store and tenant belong to a cluster."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from opscrew.settings_mistakes import did_you_mean
from opscrew.settings_secrets import Secret, Token, sendable, without_blank
from opscrew.web_address import WebAddress

TENANT = re.compile(r"\d{1,10}(:\d{1,10})?", re.ASCII)
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
"""https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels"""

HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
"""A token of RFC 9110, section 5.6.2."""

LETS_IN = re.compile(r"auth|token|secret|key|password|cookie|credential", re.IGNORECASE)
"""Headers whose values are secrets."""


class Part(BaseModel):
    """Common rules of every part: no unknown keys, no changes after start."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _tenant(text: str) -> str:
    if text and not TENANT.fullmatch(text):
        raise ValueError('should be an account or account:project in numbers and quotes, such as "12" or "12:3"')
    return text


def _labels(values: dict[str, str]) -> dict[str, str]:
    """A name that is none would make every query fail, a minute after the start and in the store's words."""
    for name in values:
        if not LABEL_NAME.fullmatch(name):
            written = re.sub(r"[^a-zA-Z0-9_]", "_", name)
            raise ValueError(
                f"{name!r} is no label name, which has letters, digits and _ alone; series that come by OpenTelemetry "
                f"have it as {written} once VictoriaMetrics runs with -opentelemetry.usePrometheusNaming"
            )
    return values


def _checked_name(name: str) -> None:
    if not HEADER_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an HTTP header")


def _headers(values: dict[str, str]) -> dict[str, str]:
    for name, value in values.items():
        _checked_name(name)
        if LETS_IN.search(name):
            raise ValueError(f"{name} lets in, and files get committed: name it in secret_headers, in the environment")
        sendable(SecretStr(value))
    return values


def _sendable(values: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for value in values.values():
        sendable(value)
    return without_blank(values)


def _secret_headers(values: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name in values:
        _checked_name(name)
    return _sendable(values)


SecretHeaders = Annotated[dict[str, SecretStr], AfterValidator(_secret_headers)]
Tenant = Annotated[str, AfterValidator(_tenant)]


class UrlSettings(Part):
    """A system that is reached by URL, with an optional bearer token or Basic user and password."""

    url: WebAddress
    user: str = ""
    password: Secret = None
    token: Token = None
    timeout_seconds: float = Field(default=10, gt=0, le=600)


class StoreSettings(UrlSettings):
    """VictoriaMetrics or VictoriaLogs. ``tenant`` is account or account:project of their cluster version."""

    tenant: Tenant = ""
    headers: Annotated[dict[str, str], AfterValidator(_headers)] = Field(default_factory=dict)
    """Sent with every question, such as X-Scope-OrgID for a gateway."""
    secret_headers: SecretHeaders = Field(default_factory=dict)
    """The same for those that let in; as JSON in the environment, or in a file that it names."""
    tokens: Annotated[dict[str, SecretStr], AfterValidator(_sendable)] = Field(default_factory=dict)
    """Bearer tokens by the name of a cluster, in place of ``token`` for the store of that cluster; as JSON likewise."""


class LogStoreSettings(StoreSettings):
    """``fields`` are names of fields in this store by what they hold, beside those that collectors usually write."""

    fields: dict[Literal["cluster", "namespace", "pod", "service", "message", "level"], tuple[str, ...]] = Field(
        default_factory=dict
    )


class StoreOfCluster(Part):
    """What of a store is different for one cluster. Whatever is left out is that of the common store."""

    url: WebAddress | None = None
    tenant: Tenant | None = None
    headers: Annotated[dict[str, str], AfterValidator(_headers)] = Field(default_factory=dict)
    """Beside the common ones, or in place of them where the name is the same."""


class KubernetesSettings(Part):
    """One cluster. Without ``kubeconfig`` the account of the pod that we run in is used."""

    name: str
    kubeconfig: Path | None = None
    context: str | None = None
    namespaces: tuple[str, ...] = ("*",)
    allow_insecure: bool = False
    """Accept a kubeconfig that switches the check of the server's certificate off."""
    metrics_labels: Annotated[dict[str, str], AfterValidator(_labels)] = Field(default_factory=dict)
    """Labels that tell this cluster's series from others in VictoriaMetrics; needed where it holds several."""
    victoriametrics: StoreOfCluster | None = None
    """The store that holds this cluster's series, where it is not the common one."""
    victorialogs: StoreOfCluster | None = None


def store_of(common: StoreSettings, cluster: str, own: StoreOfCluster | None) -> StoreSettings:
    """The store of one cluster: the common one, with what is this cluster's own."""
    changes: dict[str, object] = {"token": common.tokens.get(cluster, common.token)}
    if own is not None:
        changes |= {name: value for name, value in own if value is not None}
        changes["headers"] = common.headers | own.headers
    return common.model_copy(update=changes)


def check_stores(store: StoreSettings | None, system: str, clusters: Sequence[KubernetesSettings]) -> None:
    """Raises ``ValueError`` where a cluster's own store lacks the common one, or a token is for no cluster."""
    own = [one.name for one in clusters if getattr(one, system) is not None]
    if store is None and own:
        raise ValueError(f"is needed beside that of {own[0]}: give its url, and what all clusters have in common")
    names = [one.name for one in clusters]
    unknown = [name for name in store.tokens if name not in names] if store is not None and names else []
    if unknown:
        near = difflib.get_close_matches(unknown[0], names, n=1)
        raise ValueError(f"tokens names {unknown[0]}, which is no cluster{did_you_mean(near)}")
