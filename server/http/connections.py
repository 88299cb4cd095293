"""What one connection may take, below the application: time, and room for the head of a request.

An application is only called when the head of a request is complete, so it cannot see who never completes one, who
keeps a connection open for nothing, and who does not read the answer. uvicorn ends a connection that is silent after an
answer and no other; a class of its own for connections is the way it offers to do more.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

LARGEST_HEAD = 16 * 1024
"""Bytes of a request line with its headers."""
HEAD_SECONDS = 10.0
"""From the opening of the connection, or the end of the answer before, until the head of a request is complete."""
MOST_CONNECTIONS = 256
"""Half of what a process may commonly open is left for files and for connections of our own."""
FEW_CONNECTIONS = 16
"""So many may ask as fast as they like."""
SECONDS_EACH = 0.004
"""With more, a connection pauses after an answer or a piece of a body for so long times their number: together they ask
250 times and send 16 MB a second, and a newcomer, who may be a probe, finds time left."""
LONGEST_PAUSE = 2.0
"""Seconds. Pauses grow up to it while the machine is too slow for what is asked, which late looks tell."""
LATE = 0.02
"""Seconds by which looks are late when all is well, and by which pauses double when it is not."""
LOOK_EVERY = 0.5
"""Seconds between looks at one connection."""

WAITING, SENDING, STALLED, CLOSING, WORKING = "waiting", "sending", "stalled", "closing", "working"
SECONDS = {
    WAITING: HEAD_SECONDS,
    SENDING: 15.0,  # the guard refuses a slow body before; this ends those who go on after the refusal
    STALLED: 30.0,  # the answer is not read: a slow line takes a while
    CLOSING: 10.0,  # closed by us, but the other side does not take the last bytes
}
"""How long a connection may be in a state. One that we are working for may be as long as the work takes."""
DROPPED_FIRST = (WAITING, CLOSING, SENDING, STALLED)


class LimitedConnection(H11Protocol):
    """One connection. Given to uvicorn, which makes one for each caller and lists them in ``connections``."""

    late = 0.0
    """Seconds by which looks were late lately, of all connections of this process: they share one loop."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.state, self.since = WAITING, self.loop.time()
        self._next_look = self.loop.call_later(LOOK_EVERY, self._look)
        if len(self.connections) > MOST_CONNECTIONS:
            _make_room([one for one in self.connections if isinstance(one, LimitedConnection) and one is not self])

    def connection_lost(self, exc: Exception | None) -> None:
        self._next_look.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Hands a head on in pieces: the parser counts what is incomplete, and would take a long one that is whole."""
        while data and not self.transport.is_closing():
            piece = len(data)
            if self.conn.their_state is h11.IDLE:
                piece = max(1, LARGEST_HEAD + 1 - len(self.conn.trailing_data[0]))
            super().data_received(data[:piece])
            data = data[piece:]
            self._note()  # a short request begins and ends between two looks
        if self.state == SENDING and (pause := self._turn()):
            self.transport.pause_reading()
            self.loop.call_later(pause, self._read_on)

    def on_response_complete(self) -> None:
        """The next request of this connection waits its turn. What was sent already stays unread for as long."""
        if pause := self._turn():
            self.loop.call_later(pause, super().on_response_complete)
        else:
            super().on_response_complete()

    def drop(self) -> None:
        """Ends the connection without waiting for anything to be sent."""
        self.connections.discard(self)  # at once, so that it is not chosen again before the loop has ended it
        self.transport.abort()

    def _turn(self) -> float:
        """Seconds until it is this connection's turn again."""
        others = len(self.connections)
        if others <= FEW_CONNECTIONS:
            return 0.0
        return min(LONGEST_PAUSE, others * SECONDS_EACH * max(1.0, self.late / LATE))

    def _read_on(self) -> None:
        if not self.flow.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def _look(self) -> None:
        late = self.loop.time() - self._next_look.when()
        LimitedConnection.late += (late - LimitedConnection.late) / 8
        self._note()
        if self.loop.time() - self.since >= SECONDS.get(self.state, float("inf")):
            self.drop()
        else:
            self._next_look = self.loop.call_later(LOOK_EVERY, self._look)

    def _note(self) -> None:
        state = self._present_state()
        if state != self.state:
            self.state, self.since = state, self.loop.time()

    def _present_state(self) -> str:
        if self.transport.is_closing():
            return CLOSING
        if self.flow.write_paused:
            return STALLED
        heard: Any = self.conn.their_state
        return WAITING if heard is h11.IDLE else SENDING if heard is h11.SEND_BODY else WORKING


def _make_room(others: list[LimitedConnection]) -> None:
    """Ends the one that has kept us waiting for the longest; a newcomer may be a probe, and is served."""
    idle = [one for one in others if one.state in DROPPED_FIRST]
    if idle:
        min(idle, key=lambda one: (DROPPED_FIRST.index(one.state), one.since)).drop()
