"""Stops a running Bitbucket pipeline, and sees whether it stopped before it ended by itself.

Stopping twice is the same as stopping once, so a request whose answer was lost may be sent again.
"""

from __future__ import annotations

from datetime import datetime

from opscrew.actions.executor import Outcome, Receipt, SendRefusedError
from opscrew.ci.rerun.stop import KIND
from opscrew.model.action import Action
from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.failures import Refused
from tools.bitbucket.records import Pipeline

_ENDED = "it has already ended"


class StopPipeline:
    """Executor of ``stop_pipeline``. Targets have the scope "workspace/slug"."""

    kind = KIND

    def __init__(self, client: BitbucketClient) -> None:
        self._client = client

    def precondition(self, action: Action) -> str | None:
        return _ENDED if self._pipeline(action).is_finished else None

    def send(self, action: Action) -> Receipt:
        repo, uuid = _slug(action), action.parameters["pipeline_uuid"]
        try:
            told = self._client.stop(repo, uuid)
        except Refused as refused:
            raise SendRefusedError(str(refused)) from refused
        if not told:
            raise SendRefusedError(_ENDED)
        return _receipt(action)

    def find_sent(self, action: Action, since: datetime) -> Receipt | None:
        """A stopped pipeline is taken for our doing. One that ended otherwise is left to ``precondition`` to refuse."""
        del since  # the pipeline's own state tells more than two clocks
        return _receipt(action) if self._pipeline(action).stopped else None

    def outcome(self, action: Action, receipt: Receipt) -> Outcome | None:
        pipeline = self._pipeline(action)
        if not pipeline.is_finished:
            return None
        if pipeline.stopped:
            return Outcome(True, f"#{pipeline.build_number} is stopped")
        word = pipeline.state.result.lower() or "in an unknown way"
        return Outcome(False, f"#{pipeline.build_number} ended {word} before it could be stopped")

    def _pipeline(self, action: Action) -> Pipeline:
        return self._client.pipeline(_slug(action), action.parameters["pipeline_uuid"])


def _receipt(action: Action) -> Receipt:
    return Receipt(action.parameters["pipeline_uuid"], action.target.url, "told to stop")


def _slug(action: Action) -> str:
    return action.target.scope.split("/", 1)[1]
