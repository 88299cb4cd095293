"""A webhook receiver over a real socket that keeps what it got, and misbehaves on demand."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.http_answers import Answer, Answers, Handler, Request, hang, http_answers, status

TOKEN = "hook-Zx81kQp4vT7m"
"""The secret part of the address."""


class Receiver:
    """``faults`` are used up one by one, before messages are taken again."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.faults: list[Answer] = []
        self.got: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        """As apprise writes it."""
        return self.answers.url.replace("http://", "json://") + f"/{TOKEN}"

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.got]

    def take(self, handler: Handler, request: Request) -> None:
        if self.faults:
            self.faults.pop(0)(handler, request)
            return
        self.got.append(json.loads(request.body))
        status(200, "ok")(handler, request)

    def take_and_hang(self, handler: Handler, request: Request) -> None:
        """It arrived, and nobody hears so."""
        self.got.append(json.loads(request.body))
        hang(handler, request)


def reset(handler: Handler, request: Request) -> None:
    """Ends the connection rudely, once the request is there."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


@contextmanager
def receiver() -> Iterator[Receiver]:
    with http_answers() as answers:
        taking = Receiver(answers)
        answers.by_path[f"/{TOKEN}"] = taking.take
        yield taking
