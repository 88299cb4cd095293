"""The sandbox's webhooks are ones that our own check accepts, and tell each change once."""

from __future__ import annotations

from typing import Any

from demo.bitbucket.webhooks import WebhookSender
from demo.serving import serve
from tests.support.bitbucket import sandbox
from tools.bitbucket.webhook import PipelineEvent, parse, signature_is_valid


def test_each_change_is_told_once_and_signed() -> None:
    received: list[tuple[bool, PipelineEvent | None]] = []

    async def receiver(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        valid = signature_is_valid(b"secret", body, headers["x-hub-signature"])
        received.append((valid, parse(headers["x-event-key"], body)))
        await send({"type": "http.response.start", "status": 202, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with sandbox() as box, serve(receiver) as url:
        box.world.add_repository("shop")
        sender = WebhookSender(box.world, url, "secret")
        run = box.world.push("shop", "failing")
        assert sender.deliver() == 1
        assert sender.deliver() == 0
        box.clock.forward(minutes=5)
        assert sender.deliver() == 1
    assert all(valid for valid, _ in received)
    assert [event.state for _, event in received if event] == ["INPROGRESS", "FAILED"]
    told = received[1][1]
    assert told is not None
    assert told.at is not None
    assert told == PipelineEvent(
        repository="acme/shop", commit=run.target.commit, ref="main", state="FAILED", at=told.at
    )


def test_a_receiver_that_is_not_there_is_given_up() -> None:
    with sandbox() as box:
        box.world.add_repository("shop")
        box.world.push("shop", "passing")
        assert WebhookSender(box.world, "http://127.0.0.1:9/", "secret").deliver() == 0
