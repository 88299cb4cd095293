"""An MCP server as a program that answers oddly. Run with the name of the oddity; its one tool is called echo."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]


def nested(depth: int) -> Json:
    schema: Json = {"type": "object"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"inner": schema}}
    return schema


SCHEMAS: dict[str, Json] = {
    "properties are a list": {"type": "object", "properties": ["a"]},
    "properties are null": {"type": "object", "properties": None},
    "required is a number": {"type": "object", "properties": {"a": {}}, "required": 5},
    "definitions are a list": {"type": "object", "$defs": [], "properties": {}},
    "a choice is a number": {"type": "object", "properties": {"a": {"anyOf": 5}}},
    "a property is true": {"type": "object", "properties": {"a": True}},
    "nested deeply": nested(60),
    "thousands of choices": {
        "type": "object",
        "properties": {"a": {"type": "string", "enum": list(map(str, range(9_000)))}},
    },
    "thousands of parameters": {
        "type": "object",
        "properties": {f"p{number}": {"type": "string", "description": "x" * 200} for number in range(2_000)},
        "required": ["p1999"],
    },
}

TEXTS: dict[str, Callable[[], str]] = {
    "ten megabytes of rows": lambda: json.dumps(
        [{"name": f"pod-{n}", "s": "token=abcdefgh" + "x" * 60} for n in range(100_000)]
    ),
    "ten megabytes in a line": lambda: "x" * 10_000_000,
    "twenty megabytes": lambda: "x" * 20_000_000,
    "brackets": lambda: "[" * 100_000,
    "numbers that are none": lambda: '{"data":{"result":[{"metric":{},"values":[[1,"1"],[2,"abc"]]}]}}',
    "half a character": lambda: "before \ud83d after",
    "controls": lambda: "\x1b[31mred\x1b[0m \x1b]0;title\x07\u202eturned\x00",
    "many letters": lambda: "Gr\u00fc\u00dfe \u65e5\u672c \U0001f680",
}


def tools(oddity: str) -> list[Json]:
    schema = SCHEMAS.get(oddity, {"type": "object", "properties": {"a": {"type": "string"}}})
    found: list[Json] = [{"name": "echo", "description": "First.", "inputSchema": schema}]
    if oddity == "two of one name":
        found.append({"name": "echo", "description": "Second.", "inputSchema": {"type": "object"}})
    if oddity == "thousands of tools":
        found = [{"name": f"t{n}", "description": "d" * 900, "inputSchema": schema} for n in range(5_000)] + found
    return found


def result(oddity: str) -> Any:
    if oddity == "no content":
        return {"content": "text"}
    if oddity == "a resource":
        inner = {"uri": "x://y", "text": "the useful text"}
        return {"content": [{"type": "resource", "resource": inner}, {"type": "image", "data": "", "mimeType": "a/b"}]}
    return {"content": [{"type": "text", "text": TEXTS.get(oddity, lambda: "ok")()}]}


def answer(oddity: str, request: Json) -> Json | None:
    method, number = request.get("method"), request.get("id")
    if method == "initialize":
        if oddity == "ends with a token":
            sys.stderr.write(f"error: {os.environ['ODD_TOKEN']} is no token\n")
            sys.stderr.flush()
            os._exit(2)
        if oddity == "a greeting that is none":
            return {"id": number, "result": {"hello": 1}}
        hello = {"capabilities": {"tools": {}}, "serverInfo": {"name": "odd", "version": "7"}}
        return {"id": number, "result": {"protocolVersion": request["params"]["protocolVersion"], **hello}}
    if method == "tools/list":
        if oddity == "refuses the list":
            return {
                "id": number,
                "error": {"code": -1, "message": f"{os.environ['ODD_TOKEN']} may not\nlist " + "y" * 9_000},
            }
        if oddity == "pages without end":
            return {"id": number, "result": {"tools": tools(oddity), "nextCursor": "again"}}
        return {"id": number, "result": {"tools": tools(oddity)}}
    if method == "tools/call":
        if oddity == "half an answer":
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": number})[:20])
            sys.stdout.flush()
            os._exit(4)
        return {"id": number, "result": result(oddity)}
    return {"id": number, "result": {}} if method == "ping" else None


def main() -> None:
    for line in sys.stdin:
        reply = answer(sys.argv[1], json.loads(line))
        if reply is not None:
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", **reply}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
