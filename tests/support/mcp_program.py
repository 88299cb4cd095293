"""A small MCP server as a program, written against the protocol and not with an SDK, which misbehaves on request.

Run with names of faults as arguments: ``garbage`` prints beside messages, ``child`` leaves a process of its own
behind, ``silent`` never answers, ``deaf`` ignores the wish to end, ``stuck`` answers nothing after a call of sleep.
Its tools: echo, environment, sleep, crash, change.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

FAULTS = set(sys.argv[2:])
NOTES = Path(sys.argv[1])
"""A folder: each start and each call leaves a line there, so that a test can count them."""

TOOLS = {
    "echo": {"text": {"type": "string", "description": "What to say back. It is not changed."}},
    "environment": {},
    "sleep": {"seconds": {"type": "number"}},
    "crash": {},
    "change": {},
    "secret_tool": {},
}
_printing = threading.Lock()


def note(what: str) -> None:
    with (NOTES / "notes").open("a") as file:
        file.write(f"{what} {os.getpid()}\n")


def send(value: dict[str, object]) -> None:
    with _printing:
        sys.stdout.write(json.dumps(value) + "\n")
        sys.stdout.flush()


def answer(request: dict[str, object], result: dict[str, object]) -> None:
    send({"jsonrpc": "2.0", "id": request["id"], "result": result})


def call(request: dict[str, object]) -> None:
    name, arguments = request["params"]["name"], request["params"].get("arguments") or {}  # type: ignore[index]
    note(f"call:{name}")
    text = "done"
    if name == "crash":
        sys.stderr.write("panic: out of coffee\n")
        sys.stderr.flush()
        os._exit(3)
    if name == "sleep":
        time.sleep(arguments["seconds"])
    if name == "echo":
        text = arguments["text"]
    if name == "environment":
        text = json.dumps(dict(os.environ))
    answer(request, {"content": [{"type": "text", "text": text}], "isError": False})


def handle(request: dict[str, object]) -> None:
    method = request.get("method")
    if method == "initialize":
        version = request["params"]["protocolVersion"]  # type: ignore[index]
        me = {"name": "program", "version": "7"}
        answer(request, {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": me})
    elif method == "tools/list":
        tools = [
            {
                "name": name,
                "description": f"Does {name}. More words that nobody needs to read.",
                "inputSchema": {"type": "object", "properties": fields, "required": list(fields)},
            }
            for name, fields in TOOLS.items()
        ]
        answer(request, {"tools": tools})
    elif method == "ping":
        answer(request, {})
    elif method == "tools/call":
        threading.Thread(target=call, args=(request,), daemon=True).start()


def main() -> None:
    note("start")
    if "child" in FAULTS:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
        note(f"child:{child.pid}")
    if "deaf" in FAULTS:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "garbage" in FAULTS:
        sys.stdout.write("Welcome to the server!\n{not json\n[]\n\x00\xff\n")
    for line in sys.stdin:
        if "silent" not in FAULTS:
            handle(json.loads(line))
        if "stuck" in FAULTS and '"sleep"' in line:
            time.sleep(300)
    if "deaf" in FAULTS:
        note("left alone")
        time.sleep(300)


main()
