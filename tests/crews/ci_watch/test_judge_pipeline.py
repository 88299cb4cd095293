"""What is read of a failed step, and that no deployment far above the end of its log is overlooked."""

from __future__ import annotations

import pytest

from crews.ci_watch.judge_pipeline import LOG_BYTES, judge_failure
from opscrew.ci.judge.classify import Verdict
from tests.support.bitbucket import START, Reply, http_client, scripted
from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.records import Pipeline

BLIP = b"+ npm ci\nnpm ERR! code ECONNRESET\nnpm ERR! network read ECONNRESET\n"
FILLER = b"web is patched and well\n" * (LOG_BYTES // 20)
STEP = b'{"values": [{"uuid": "{s}", "name": "Ship", "state": {"name": "COMPLETED", "result": {"name": "FAILED"}}}]}'


def verdict_of(log: bytes) -> tuple[Verdict, str]:
    def reply(path: str, headers: dict[str, str]) -> Reply:
        if not path.split("?")[0].endswith("/log"):
            return 200, {"content-type": "application/json"}, STEP
        wanted = headers.get("range", "")
        if wanted.startswith("bytes=-"):
            start = max(0, len(log) - int(wanted.removeprefix("bytes=-")))
            part = {"content-range": f"bytes {start}-{len(log) - 1}/{len(log)}"}
            return 206, part, log[start:]
        return 200, {}, log

    with (
        scripted(reply) as server,
        BitbucketClient(
            server.url, "acme", token="s3cret", clock=lambda: START, sleep=lambda seconds: None, http=http_client()
        ) as client,
    ):
        failure = judge_failure(client, "shop", Pipeline(uuid="{p}", build_number=1, created_on=START))
    return failure.verdict, failure.signature


@pytest.mark.parametrize("filler", [b"", FILLER], ids=["short", "longer than what is read of a log"])
def test_a_deployment_is_seen_however_far_above_the_break(filler: bytes) -> None:
    assert verdict_of(b"+ helm upgrade shop chart/\n" + filler + BLIP) == (Verdict.UNKNOWN, "deployment-started")
    assert verdict_of(b"+ helm template shop chart/\n" + filler + BLIP) == (Verdict.TRANSIENT, "npm-network")
