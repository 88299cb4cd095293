"""Sends the sandbox's webhooks: a signed POST for each pipeline that begins or ends, as Bitbucket's do."""

from __future__ import annotations

import hashlib
import hmac
import json
import urllib.error
import urllib.request

from demo.bitbucket import answers
from demo.bitbucket.pipelines import Run
from demo.bitbucket.world import World

TIMEOUT_SECONDS = 5.0


class WebhookSender:
    """``deliver()`` sends what changed since the last call. Like Bitbucket, it gives up on a failed delivery."""

    def __init__(self, world: World, url: str, secret: str) -> None:
        self._world = world
        self._url = url
        self._secret = secret.encode()
        self._told: dict[str, str] = {}

    def deliver(self) -> int:
        """Returns how many deliveries were accepted."""
        with self._world.lock:
            runs = [run for entry in self._world.repositories.values() for run in entry.runs]
        return sum(self._send(run, before) for run in runs if (before := self._changed(run)) is not None)

    def _changed(self, run: Run) -> str | None:
        """What was last told about the run ("" for nothing), or None when that is still true."""
        before = self._told.get(run.uuid, "")
        state = str(answers.status(self._world, run)["state"])
        self._told[run.uuid] = state
        return None if state == before else before

    def _send(self, run: Run, before: str) -> bool:
        status = answers.status(self._world, run) | {"commit": {"type": "commit", "hash": run.target.commit}}
        entry = self._world.repositories[run.repository]
        body = json.dumps({"repository": answers.repository(self._world, entry), "commit_status": status}).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Event-Key": f"repo:commit_status_{'updated' if before else 'created'}",
            "X-Hub-Signature": "sha256=" + hmac.new(self._secret, body, hashlib.sha256).hexdigest(),
        }
        request = urllib.request.Request(self._url, data=body, headers=headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
                return 200 <= response.status < 300
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return False
