"""What 150 callers who behave badly cost on the open port: how soon probes are answered meanwhile, and memory.

The real `crew serve` and `crew mcp serve`, each sort of caller in a process of its own for some seconds.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import selectors
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.section import Row, Section, at_most
from tests.support.daemon import CREW, ROOT, Daemon
from tests.support.hanging import memory_of, open_line, ways_to_hang

CALLERS = 150
SECONDS = 8.0
PAUSE_SECONDS = 0.1
PROBES_AT_REST = 30
MOST_SECONDS, MOST_MEGABYTES = 1.0, 20.0
STOP_SECONDS = 30.0

REQUEST = b"GET /api/status HTTP/1.1\r\nHost: localhost\r\n\r\n"
UNSIGNED = b"POST /webhooks/bitbucket HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400000\r\n\r\n" + b"x" * 400_000
HEADERS = {"Accept": "application/json, text/event-stream"}
START = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}},
}
SESSIONS = 2_000


def measure(_data: Path) -> Section:
    """Each sort of caller against each of the two servers."""
    with tempfile.TemporaryDirectory(prefix="crew-bench-") as folder:
        with Daemon(Path(folder) / "serve", {"CREW_MEMORY__EMBEDDING": "none"}, CREW) as daemon:
            rows = _rows("crew serve", daemon.url, daemon.process.pid, "/readyz")
        with _mcp_server(Path(folder) / "mcp") as (url, process):
            rows += _rows("crew mcp serve", url, process, "/healthz")
            rows.append(_sessions(url, process))
    return Section(
        "open_port",
        "An open port",
        f"{CALLERS} callers at once for {SECONDS:.0f} s: silent, in the middle of a head or a body, a byte a "
        "second, not reading, or asking as fast as they can. The slowest of the probes sent all the while, and "
        "how much memory grew.",
        rows,
    )


def _rows(name: str, url: str, process: int, probe: str) -> list[Row]:
    rest = [_probe(url, probe) for _ in range(PROBES_AT_REST)]
    rows = [Row(f"{name}, nobody else: slowest of {len(rest)} probes", f"{max(rest):.3f} s")]
    for sort in ("silent", "dripping", "flooding", "sending bodies", "not reading"):
        before = memory_of(process)
        times, peak = _probed_while(sort, url, process, probe)
        slowest, middle = max(times), statistics.median(times)
        rows.append(
            at_most(
                f"{name}, {sort}: slowest of {len(times)} probes",
                slowest,
                MOST_SECONDS,
                f"median {middle:.3f} s",
                unit=" s",
            )
        )
        rows.append(at_most(f"{name}, {sort}: memory grew by", peak - before, MOST_MEGABYTES, digits=1, unit=" MB"))
    return rows


def _probed_while(sort: str, url: str, process: int, probe: str) -> tuple[list[float], float]:
    """Seconds of each probe, and the most memory that was seen."""
    callers = multiprocessing.get_context("spawn").Process(target=behave, args=(sort, url), daemon=True)
    callers.start()
    times, peak = [], 0.0
    try:
        time.sleep(2.0)  # until they are there
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            times.append(_probe(url, probe))
            peak = max(peak, memory_of(process))
            time.sleep(PAUSE_SECONDS)
    finally:
        callers.terminate()
        callers.join()
    return times, peak


def _probe(url: str, path: str) -> float:
    began = time.monotonic()
    answer = httpx.get(url + path, timeout=30, trust_env=False)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} was answered {answer.status_code}")
    return time.monotonic() - began


def behave(sort: str, url: str) -> None:
    """One process with all the callers of a sort; it is ended from outside. A line that was closed is opened again."""
    waiting = selectors.DefaultSelector()
    for number in range(CALLERS):
        _open(waiting, sort, url, number)
    while True:
        for key, _ in waiting.select(timeout=1.0) if sort in ("flooding", "sending bodies") else ():
            _continue(waiting, key.fileobj, sort, url, key.data)  # type: ignore[arg-type]
        if sort in ("silent", "dripping", "not reading"):
            time.sleep(1.0)
            for key in list(waiting.get_map().values()):
                _continue(waiting, key.fileobj, sort, url, key.data)  # type: ignore[arg-type]


def _open(waiting: selectors.BaseSelector, sort: str, url: str, number: int) -> None:
    line = open_line(url, room=4096 if sort == "not reading" else None)
    line.setblocking(False)
    events = selectors.EVENT_READ
    waiting.register(line, events, number)
    first = {"flooding": REQUEST, "sending bodies": UNSIGNED, "not reading": REQUEST * 50}
    _send(line, first.get(sort, ways_to_hang()[number % len(ways_to_hang())]))


def _continue(waiting: selectors.BaseSelector, line: socket.socket, sort: str, url: str, number: int) -> None:
    """The next piece; or a new line where the server has ended this one."""
    heard = b"x" if sort == "not reading" else _heard(line)
    if heard and sort != "sending bodies" and _send(line, {"dripping": b"x", "flooding": REQUEST}.get(sort, b"")):
        return
    waiting.unregister(line)
    line.close()
    _open(waiting, sort, url, number)


def _heard(line: socket.socket) -> bytes:
    """What there is to read, a mark where there is nothing yet, and nothing where the line has ended."""
    try:
        return line.recv(65536)
    except BlockingIOError:
        return b"x"
    except OSError:
        return b""


def _send(line: socket.socket, piece: bytes) -> bool:
    try:
        line.send(piece)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


def _sessions(url: str, process: int) -> Row:
    """Clients that begin sessions and never end them."""
    before, begun = memory_of(process), 0
    with httpx.Client(trust_env=False, timeout=30) as client:
        for _ in range(SESSIONS):
            begun += client.post(f"{url}/mcp", json=START, headers=HEADERS).status_code == 200
    what = f"crew mcp serve, {SESSIONS:,} sessions begun and none ended: memory grew by"
    return at_most(what, memory_of(process) - before, MOST_MEGABYTES, f"{begun} were opened", digits=1, unit=" MB")


@contextmanager
def _mcp_server(folder: Path) -> Iterator[tuple[str, int]]:
    environment = {
        "PATH": os.environ["PATH"],
        "CREW_DATA_DIR": str(folder),
        "CREW_BITBUCKET__WORKSPACE": "acme",
        "CREW_BITBUCKET__TOKEN": "of-the-benchmark",
        "CREW_BITBUCKET__URL": "http://127.0.0.1:9/2.0",
        "CREW_LOG_LEVEL": "error",
    }
    command = [*CREW[:-1], "mcp", "serve", "--http", "--port", "0"]
    folder.mkdir()
    log = folder / "log"
    with log.open("w") as written:
        running = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=written)
    try:
        yield _address_in(log), running.pid
    finally:
        running.terminate()
        try:
            running.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def _address_in(log: Path) -> str:
    """What the server printed, once it answers there."""
    ends = time.monotonic() + STOP_SECONDS
    while time.monotonic() < ends:
        found = re.search(r"http://\S+(?=/mcp)", log.read_text())
        with contextlib.suppress(httpx.TransportError):
            if found and httpx.get(f"{found[0]}/healthz", trust_env=False).status_code == 200:
                return found[0]
        time.sleep(0.05)
    raise RuntimeError(f"the MCP server does not answer: {log.read_text()}")
