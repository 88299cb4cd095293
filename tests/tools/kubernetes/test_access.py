"""Kubeconfigs as people and clouds write them, and the ways in which they are wrong."""

from __future__ import annotations

import base64
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.errors import PermanentError
from tools.kubernetes.access import contexts_of, from_kubeconfig, in_cluster


def write(folder: Path, user: dict[str, Any] | None = None, **cluster: Any) -> Path:
    path = folder / "config"
    config = {
        "current-context": "here",
        "contexts": [
            {"name": "here", "context": {"cluster": "c", "user": "u"}},
            {"name": "there", "context": {"cluster": "c"}},
        ],
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"} | cluster}],
        "users": [{"name": "u", "user": user or {}}],
    }
    path.write_text(yaml.safe_dump(config))
    return path


def test_token_file_and_basic_users(tmp_path: Path) -> None:
    assert from_kubeconfig(write(tmp_path, {"token": "abc"})).token() == "abc"
    (tmp_path / "token").write_text("from-a-file\n")
    assert from_kubeconfig(write(tmp_path, {"tokenFile": "token"})).token() == "from-a-file"
    access = from_kubeconfig(write(tmp_path, {"username": "ann", "password": "secret"}))
    assert (access.user, access.password) == ("ann", "secret")
    assert "secret" not in repr(access)


def test_the_named_context_is_used(tmp_path: Path) -> None:
    path = write(tmp_path, {"token": "abc"})
    assert from_kubeconfig(path, "there").token() == ""
    assert contexts_of(path) == ["here", "there"]


def test_a_plugin_prints_a_token_and_is_asked_again_only_when_it_ends(tmp_path: Path) -> None:
    plugin = tmp_path / "plugin"
    plugin.write_text(
        '#!/bin/sh\necho called >> "$COUNT"\n'
        'echo \'{"kind": "ExecCredential", "status": {"token": "\'$WHO\'", "expirationTimestamp": "\'$ENDS\'"}}\'\n'
    )
    plugin.chmod(stat.S_IRWXU)
    count = tmp_path / "count"

    def asked(ends: str) -> int:
        count.write_text("")
        variables = [
            {"name": name, "value": value} for name, value in (("COUNT", str(count)), ("WHO", "ann"), ("ENDS", ends))
        ]
        access = from_kubeconfig(write(tmp_path, {"exec": {"command": str(plugin), "args": ["x"], "env": variables}}))
        assert [access.token(), access.token()] == ["ann", "ann"]
        return len(count.read_text().split())

    assert asked("2099-01-01T00:00:00Z") == 1
    assert asked("2020-01-01T00:00:00Z") == 2


def test_a_plugin_that_fails_says_which(tmp_path: Path) -> None:
    access = from_kubeconfig(write(tmp_path, {"exec": {"command": "/nowhere/plugin", "installHint": "Install it."}}))
    with pytest.raises(PermanentError, match="/nowhere/plugin gave no token") as problem:
        access.token()
    assert problem.value.hint == "Install it."


@pytest.mark.parametrize(
    ("user", "cluster", "words"),
    [
        ({}, {"server": ""}, "no server address"),
        ({}, {"insecure-skip-tls-verify": True}, "insecure-skip-tls-verify"),
        ({"auth-provider": {"name": "gcp"}}, {}, "auth-provider"),
        ({}, {"server": "https://127.0.0.1:1", "certificate-authority-data": "%%%"}, "certificate or key"),
        ({}, {"server": "https://127.0.0.1:1", "certificate-authority": "gone.crt"}, "certificate or key"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    tmp_path: Path, user: dict[str, Any], cluster: dict[str, Any], words: str
) -> None:
    path = write(tmp_path, user, **cluster)
    with pytest.raises(PermanentError, match=words) as problem:
        from_kubeconfig(path)
    assert str(path) in str(problem.value)


def test_an_unchecked_certificate_needs_a_wish(tmp_path: Path) -> None:
    path = write(tmp_path, server="https://127.0.0.1:1", **{"insecure-skip-tls-verify": True})
    access = from_kubeconfig(path, allow_insecure=True)
    assert access.tls is not None
    assert not access.tls.check_hostname


@pytest.mark.parametrize("content", ["a: [", "", "just words"])
def test_a_file_that_is_no_kubeconfig(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config"
    path.write_text(content)
    with pytest.raises(PermanentError):
        from_kubeconfig(path)


def test_unknown_contexts_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="no context 'nope'") as problem:
        from_kubeconfig(write(tmp_path), "nope")
    assert problem.value.hint == "It has: here, there."
    with pytest.raises(PermanentError):
        from_kubeconfig(tmp_path / "gone")


def test_client_certificates_leave_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    broken = base64.b64encode(b"no certificate").decode()
    user = {"client-certificate-data": broken, "client-key-data": broken}
    with pytest.raises(PermanentError, match="certificate or key"):
        from_kubeconfig(write(tmp_path, user, server="https://127.0.0.1:1"))
    assert list((tmp_path / "tmp").iterdir()) == []


def test_outside_a_cluster_there_is_no_account(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="does not run inside a cluster") as problem:
        in_cluster(tmp_path)
    assert "kubeconfig" in problem.value.hint
