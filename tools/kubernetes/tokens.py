"""Bearer tokens of three kinds: fixed, in a file that is replaced, and printed by a plugin of the cloud."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from time import monotonic

import orjson

from tools.errors import PermanentError, TemporaryError
from tools.kubernetes.fields import moment, text

_PLUGIN_SECONDS = 30
# The kubelet replaces a projected token at 80 % of its life, an hour by default.
_FILE_SECONDS = 60
_EARLY = timedelta(minutes=1)


def fixed_token(token: str) -> Callable[[], str]:
    """A token that never changes; empty means none."""
    return lambda: token


class FileToken:
    """Reads the file again every minute."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._token = ""
        self._read_at = float("-inf")

    def __call__(self) -> str:
        if monotonic() - self._read_at > _FILE_SECONDS:
            try:
                self._token = self._path.read_text(encoding="utf-8").strip()
            except OSError as problem:
                raise PermanentError(
                    f"the token file {self._path} cannot be read: {problem.strerror}", system="kubernetes"
                ) from problem
            self._read_at = monotonic()
        return self._token


class ExecToken:
    """Runs the plugin of a kubeconfig (``gke-gcloud-auth-plugin``, ``aws``) and keeps its token until it ends.

    The command comes from the person's own kubeconfig and is run without a shell, as kubectl does.
    """

    def __init__(self, command: list[str], variables: Mapping[str, str], api_version: str, hint: str = "") -> None:
        self._command = command
        self._variables = dict(variables)
        self._api_version = api_version
        self._hint = hint
        self._token = ""
        self._ends: datetime | None = None
        self._lock = Lock()

    def __call__(self) -> str:
        with self._lock:
            if not self._token or (self._ends is not None and datetime.now(UTC) > self._ends - _EARLY):
                self._renew()
            return self._token

    def _renew(self) -> None:
        request = {"apiVersion": self._api_version, "kind": "ExecCredential", "spec": {"interactive": False}}
        # Plugins need the person's own environment (HOME, proxies); it is handed on and not looked at.
        environment = {
            **os.environ,
            **self._variables,
            "KUBERNETES_EXEC_INFO": orjson.dumps(request).decode(),
        }
        try:
            done = subprocess.run(
                self._command,
                env=environment,
                capture_output=True,
                timeout=_PLUGIN_SECONDS,
                check=True,
                stdin=subprocess.DEVNULL,
            )
            credential = orjson.loads(done.stdout)
        except subprocess.TimeoutExpired as problem:
            raise TemporaryError(f"{self._command[0]} gave no token in time", system="kubernetes") from problem
        except (OSError, subprocess.CalledProcessError, orjson.JSONDecodeError) as problem:
            raise PermanentError(
                f"{self._command[0]} gave no token",
                system="kubernetes",
                hint=self._hint or "Run it by hand to see why.",
            ) from problem
        self._token = text(credential, "status", "token")
        self._ends = moment(credential, "status", "expirationTimestamp")
        if not self._token:
            raise PermanentError(f"{self._command[0]} printed no token", system="kubernetes", hint=self._hint)
