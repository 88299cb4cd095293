"""Calls written as text, in the dialects that model families use."""

from __future__ import annotations

import pytest

from crews.team.salvage import WrittenCall, written_calls

OFFERED = {"pods_log", "query"}
CALL = WrittenCall("query", {"q": "up"})


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "query", "arguments": {"q": "up"}}',
        '[{"name": "query", "arguments": {"q": "up"}}]',
        '{"name": "query", "parameters": {"q": "up"}}',
        '{"name": "query", "arguments": "{\\"q\\": \\"up\\"}"}',
        '{"type": "function", "function": {"name": "query", "arguments": {"q": "up"}}}',
        '<tool_call>\n{"name": "query", "arguments": {"q": "up"}}\n</tool_call>',
        'Let me look.\n<tool_call>{"name": "query", "arguments": {"q": "up"}}',
        '```json\n{"tool": "query", "args": {"q": "up"}}\n```',
        '[TOOL_CALLS] [{"name": "query", "arguments": {"q": "up"}}]',
        '<function=query>{"q": "up"}</function>',
        'Thought: look\nAction: query\nAction Input: {"q": "up"}\nObservation: none',
    ],
)
def test_each_dialect_is_understood(text: str) -> None:
    assert written_calls(text, OFFERED) == [CALL]


def test_several_calls_keep_their_order() -> None:
    text = (
        '<tool_call>{"name": "query", "arguments": {"q": "up"}}</tool_call>'
        '<tool_call>{"name": "pods_log", "arguments": {"pod": "web"}}</tool_call>'
    )
    assert written_calls(text, OFFERED) == [CALL, WrittenCall("pods_log", {"pod": "web"})]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The registry answered 503 (E2).",
        '{"name": "delete_everything", "arguments": {}}',
        'The pod has {"name": "web", "arguments": ["--port", "80"]} in its spec.',
        '{"answer": "query the database"}',
        "[" * 5000,
        '<tool_call>{"name": "query", "arguments": ',
    ],
)
def test_an_answer_stays_an_answer(text: str) -> None:
    assert written_calls(text, OFFERED) == []
