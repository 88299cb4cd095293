"""How a cluster is reached: from a kubeconfig context, or from inside the cluster by the pod's own account.

The official client is not used: it validates every answer into model classes, which takes many seconds for thousands of
pods. Credentials never appear in an argument list, a URL or a log line.
"""

from __future__ import annotations

import base64
import binascii
import os
import ssl
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tools.errors import PermanentError
from tools.kubernetes.fields import mapping, mappings, text, texts
from tools.kubernetes.tokens import ExecToken, FileToken, fixed_token

SYSTEM = "kubernetes"
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_IN_CLUSTER_SERVER = "https://kubernetes.default.svc"


@dataclass(frozen=True)
class Access:
    """``token`` is asked before each request, since short-lived tokens are replaced while we run."""

    server: str
    tls: ssl.SSLContext | None
    token: Callable[[], str] = field(repr=False, default=lambda: "")
    user: str = ""
    password: str = field(repr=False, default="")
    proxy: str = ""


def in_cluster(account: Path = _ACCOUNT, server: str = _IN_CLUSTER_SERVER) -> Access:
    """The service account of the pod that we run in. Raises ``PermanentError`` outside a cluster."""
    if not (account / "token").is_file():
        raise PermanentError(
            "this does not run inside a cluster, and no kubeconfig is named",
            system=SYSTEM,
            hint="Name one in crew.yaml: kubernetes: [{name: prod, kubeconfig: ~/.kube/config}].",
        )
    return Access(server, ssl.create_default_context(cafile=str(account / "ca.crt")), FileToken(account / "token"))


def from_kubeconfig(path: Path, context: str = "", *, allow_insecure: bool = False) -> Access:
    """The named context, else the current one. Raises ``PermanentError`` with what is wrong in the file."""
    path = path.expanduser()
    config = _load(path)
    context = context or text(config, "current-context")
    chosen = _named(config, "contexts", context, "context", path)
    cluster = _named(config, "clusters", text(chosen, "cluster"), "cluster", path)
    user = _named(config, "users", text(chosen, "user"), "user", path) if text(chosen, "user") else {}
    server = text(cluster, "server").rstrip("/")
    if not server.startswith(("https://", "http://")):
        raise _wrong(path, f"cluster {text(chosen, 'cluster')} has no server address")
    insecure = cluster.get("insecure-skip-tls-verify") is True
    if insecure and not allow_insecure:
        raise _wrong(
            path, "insecure-skip-tls-verify is set", "Add the cluster's CA, or allow_insecure: true in crew.yaml."
        )
    tls = _tls(cluster, user, path.parent, insecure, path) if server.startswith("https://") else None
    return Access(
        server,
        tls,
        _token(user, path.parent, path),
        text(user, "username"),
        text(user, "password"),
        text(cluster, "proxy-url"),
    )


def contexts_of(path: Path) -> list[str]:
    """Names of the contexts in a kubeconfig."""
    return [text(entry, "name") for entry in mappings(_load(path.expanduser()), "contexts")]


def _load(path: Path) -> Mapping[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise _wrong(path, problem.strerror or "cannot be read", "Name an existing kubeconfig file.") from problem
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise _wrong(path, "not valid YAML") from problem
    return mapping(loaded)


def _named(config: Mapping[str, Any], part: str, name: str, field_name: str, path: Path) -> Mapping[str, Any]:
    for entry in mappings(config, part):
        if text(entry, "name") == name:
            return mapping(entry, field_name)
    known = ", ".join(text(entry, "name") for entry in mappings(config, part)) or "none"
    raise _wrong(path, f"there is no {field_name} {name!r}", f"It has: {known}.")


def _tls(
    cluster: Mapping[str, Any], user: Mapping[str, Any], folder: Path, insecure: bool, path: Path
) -> ssl.SSLContext:
    try:
        authority = _content(cluster, "certificate-authority", folder)
        tls = ssl.create_default_context(cadata=authority.decode()) if authority else ssl.create_default_context()
        if insecure:
            tls.check_hostname = False
            tls.verify_mode = ssl.CERT_NONE
        certificate, key = _content(user, "client-certificate", folder), _content(user, "client-key", folder)
        if certificate and key:
            _load_pair(tls, certificate, key)
    except (OSError, ssl.SSLError, binascii.Error, UnicodeDecodeError) as problem:
        raise _wrong(path, f"a certificate or key cannot be read: {problem}") from problem
    return tls


def _load_pair(tls: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """OpenSSL reads a pair from a file only; it lives for the moment of loading, readable by us alone."""
    descriptor, name = tempfile.mkstemp()
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(certificate + b"\n" + key)
        tls.load_cert_chain(name)
    finally:
        Path(name).unlink()


def _content(part: Mapping[str, Any], name: str, folder: Path) -> bytes:
    """Inline data first, as kubectl does, else the file, relative to the kubeconfig."""
    inline = text(part, f"{name}-data")
    if inline:
        return base64.b64decode("".join(inline.split()), validate=True)
    file = text(part, name)
    return (folder / Path(file).expanduser()).read_bytes() if file else b""


def _token(user: Mapping[str, Any], folder: Path, path: Path) -> Callable[[], str]:
    if text(user, "token"):
        return fixed_token(text(user, "token"))
    if text(user, "tokenFile"):
        return FileToken(folder / Path(text(user, "tokenFile")).expanduser())
    plugin = mapping(user, "exec")
    if plugin:
        variables = {text(entry, "name"): text(entry, "value") for entry in mappings(plugin, "env")}
        return ExecToken(
            [text(plugin, "command"), *texts(plugin, "args")],
            variables,
            text(plugin, "apiVersion") or "client.authentication.k8s.io/v1",
            text(plugin, "installHint"),
        )
    if mapping(user, "auth-provider"):
        raise _wrong(path, "it uses auth-provider, which Kubernetes 1.26 removed", "Use the exec plugin of your cloud.")
    return fixed_token("")


def _wrong(path: Path, message: str, hint: str = "") -> PermanentError:
    return PermanentError(f"kubeconfig {path}: {message}", system=SYSTEM, hint=hint)
