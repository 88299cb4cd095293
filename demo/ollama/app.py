"""The HTTP side: Ollama's /api/* with NDJSON streams, and OpenAI's /v1/chat/completions with server-sent events.

Field names and the order of chunks follow https://docs.ollama.com/api and a recorded Ollama 0.24.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse

from demo.ollama.script import Reply, Script


def create_app(script: Script | None = None) -> FastAPI:
    """One model host. The script may be changed while it runs."""
    script = script or Script()
    app = FastAPI(title="Scripted model host")
    app.state.script = script

    @app.get("/api/version")
    async def version() -> dict[str, str]:
        return {"version": "0.24.0"}

    @app.get("/api/tags")
    async def tags() -> dict[str, Any]:
        details = {"family": "demo", "parameter_size": "1.0B", "quantization_level": "Q4_K_M"}
        return {"models": [{"name": script.model, "model": script.model, "size": 800_000_000, "details": details}]}

    @app.get("/api/ps")
    async def ps() -> dict[str, Any]:
        return {"models": [{"name": script.model, "size": 900_000_000, "context_length": script.context_tokens}]}

    @app.post("/api/show")
    async def show(request: Request) -> JSONResponse:
        wanted = (await request.json()).get("model")
        if wanted != script.model:
            return JSONResponse({"error": f"model '{wanted}' not found"}, 404)
        info = {"general.architecture": "demo", "demo.context_length": script.context_tokens}
        return JSONResponse({"capabilities": list(script.capabilities), "model_info": info, "details": {}})

    @app.post("/api/chat")
    async def chat(request: Request) -> Any:
        return await _answer(script, request, _ollama_lines, "application/x-ndjson")

    @app.post("/v1/chat/completions")
    async def completions(request: Request) -> Any:
        return await _answer(script, request, _openai_lines, "text/event-stream")

    return app


Lines = Callable[[str, Reply, int], tuple[list[str], list[str]]]
"""Gives the lines of the words, one for each, and the lines that end the stream."""


async def _answer(script: Script, request: Request, lines: Lines, media_type: str) -> Any:
    asked = await request.json()
    if asked.get("model") != script.model:
        return JSONResponse({"error": f"model '{asked.get('model')}' not found"}, 404)
    reply = script.next_reply(asked)
    if reply.status != 200:
        return JSONResponse({"error": reply.error}, reply.status)
    words, end = lines(script.model, reply, _tokens(asked))
    if asked.get("stream") is False and lines is _ollama_lines:
        return JSONResponse(_whole(script.model, reply, _tokens(asked)))
    return StreamingResponse(_stream(script, request, reply, words, end), media_type=media_type)


async def _stream(
    script: Script, request: Request, reply: Reply, words: list[str], end: list[str]
) -> AsyncIterator[str]:
    script.begin()
    complete = False
    try:
        await asyncio.sleep(reply.silent_seconds)
        for number, line in enumerate(words):
            if number == reply.cut_after:
                request.scope["sandbox.transport"].abort()
                return
            yield line
            if reply.tokens_per_second:
                await asyncio.sleep(1 / reply.tokens_per_second)
        while reply.hang and not await request.is_disconnected():
            await asyncio.sleep(0.05)
        if not reply.hang:
            for line in end:
                yield line
            complete = True
    finally:
        script.end(complete=complete)


def _ollama_lines(model: str, reply: Reply, prompt_tokens: int) -> tuple[list[str], list[str]]:
    def line(message: dict[str, Any], **more: Any) -> str:
        head = {"model": model, "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", **message}}
        return json.dumps({**head, "done": False, **more}) + "\n"

    words = [line({"content": "", "thinking": word}) for word in _words(reply.thinking)]
    words += [line({"content": word}) for word in _words(reply.text)]
    for name, arguments in reply.calls:
        words.append(line({"content": "", "tool_calls": [{"function": {"name": name, "arguments": arguments}}]}))
    counts = {"prompt_eval_count": prompt_tokens, "eval_count": max(1, len(words))}
    return words, [line({"content": ""}, done=True, done_reason="stop", **counts)]


def _whole(model: str, reply: Reply, prompt_tokens: int) -> dict[str, Any]:
    """Ollama's answer without streaming, with durations in nanoseconds: 50 tokens/s read, 10 tokens/s written."""
    words = max(1, len(_words(reply.text)))
    return {
        "model": model,
        "message": {"role": "assistant", "content": reply.text},
        "done": True,
        "prompt_eval_count": prompt_tokens,
        "prompt_eval_duration": prompt_tokens * 20_000_000,
        "eval_count": words,
        "eval_duration": words * 100_000_000,
        "load_duration": 1_000_000,
    }


def _openai_lines(model: str, reply: Reply, prompt_tokens: int) -> tuple[list[str], list[str]]:
    def line(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model}
        return f"data: {json.dumps({**head, 'choices': [choice], **more})}\n\n"

    words = [line({"role": "assistant", "content": word}) for word in _words(reply.text)]
    for index, (name, arguments) in enumerate(reply.calls):
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        function = {"name": name, "arguments": text}
        call = {"index": index, "id": f"call_{index}", "type": "function", "function": function}
        words.append(line({"role": "assistant", "tool_calls": [call]}))
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": len(words),
        "total_tokens": prompt_tokens + len(words),
    }
    finish = "tool_calls" if reply.calls else "stop"
    return words, [line({}, finish), line({}, None, usage=usage), "data: [DONE]\n\n"]


def _words(text: str) -> list[str]:
    return re.findall(r"\S+\s*|\s+", text)


def _tokens(asked: dict[str, Any]) -> int:
    """A count that grows with the prompt, four characters each."""
    return len(json.dumps([asked.get("messages"), asked.get("tools")])) // 4
