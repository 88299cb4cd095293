"""Our own MCP server for Bitbucket Pipelines: what Atlassian's hosted one lacks (logs that explain, test reports,
runners) and what a model needs to judge a build.

It only reads. The two tools that change something are there only when the program that builds the server hands in
what becomes of such a wish; in the crew that is a proposal which policy and people decide about.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from tools.bitbucket import mcp_lists, mcp_logs
from tools.bitbucket import mcp_shapes as shapes
from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.mcp_logs import Explain
from tools.cleaning import Clean, clean_value
from tools.errors import UpstreamError

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server
    from mcp.types import CallToolResult, Tool

NAME = "opscrew-bitbucket"
VERSION = "0.1.0"
INSTRUCTIONS = (
    "Bitbucket Pipelines of one workspace. Begin with list_pipelines or get_pipeline, then list_steps, then "
    "get_step_log of the failed step in mode explained."
)

Propose = Callable[[shapes.ProposalArguments], shapes.Proposal]


@dataclass(frozen=True)
class Wiring:
    """What the server is given. ``clean`` takes secrets out of everything it answers."""

    client: BitbucketClient
    clean: Clean
    explain: Explain | None = None
    propose_rerun: Propose | None = None
    propose_stop: Propose | None = None


@dataclass(frozen=True)
class OwnTool:
    """One tool: its words, the shapes of what it takes and gives, and the function behind it."""

    name: str
    title: str
    description: str
    takes: type[BaseModel]
    gives: type[BaseModel]
    run: Callable[[Any], BaseModel]
    changes: bool = False


def own_tools(wiring: Wiring) -> tuple[OwnTool, ...]:
    """In a fixed order, so that prompts that hold the list stay the same."""
    client = wiring.client
    reading = (
        OwnTool("list_repositories", "Repositories", "Repositories of the workspace, latest change first.",
                shapes.OfWorkspace, shapes.Repositories, lambda given: mcp_lists.list_repositories(client, given)),
        OwnTool("list_pipelines", "Pipelines", "Pipelines of a repository, newest first, by state or branch.",
                shapes.PipelineQuery, shapes.Pipelines, lambda given: mcp_lists.list_pipelines(client, given)),
        OwnTool("get_pipeline", "Pipeline", "One pipeline: state, result, commit, trigger, who, how long.",
                shapes.OfPipeline, shapes.PipelineDetail, lambda given: mcp_lists.get_pipeline(client, given)),
        OwnTool("list_steps", "Steps", "Steps of a pipeline with result and error.",
                shapes.OfPipeline, shapes.Steps, lambda given: mcp_lists.list_steps(client, given)),
        OwnTool("get_step_log", "Step log", "A step's log: lines that explain, its end, or lines by pattern.",
                shapes.LogQuery, shapes.StepLog,
                lambda given: mcp_logs.get_step_log(client, given, wiring.explain, wiring.clean)),
        OwnTool("get_test_reports", "Test reports", "Numbers of a step's tests and the names of those that failed.",
                shapes.OfStep, shapes.TestReports, lambda given: mcp_logs.get_test_reports(client, given)),
        OwnTool("get_commit", "Commit", "One commit: author, date, message.",
                shapes.OfCommit, shapes.CommitLine, lambda given: mcp_lists.get_commit(client, given)),
        OwnTool("list_commits", "Commits of a pipeline", "Commits since the last good pipeline of the branch.",
                shapes.CommitsOfPipeline, shapes.Commits, lambda given: mcp_lists.list_commits(client, given)),
        OwnTool("list_pull_requests", "Pull requests of a pipeline", "Pull requests that hold a pipeline's commit.",
                shapes.OfPipeline, shapes.PullRequests, lambda given: mcp_lists.list_pull_requests(client, given)),
        OwnTool("list_deployments", "Deployments", "Deployments of a repository, latest first.",
                shapes.OfRepository, shapes.Deployments, lambda given: mcp_lists.list_deployments(client, given)),
        OwnTool("list_runners", "Runners", "Self-hosted runners: online or not, busy or not.",
                shapes.RunnerQuery, shapes.Runners, lambda given: mcp_lists.list_runners(client, given)),
    )  # fmt: skip
    changing = (
        ("rerun_pipeline", "Run again", "Proposes to run a failed pipeline again.", wiring.propose_rerun),
        ("stop_pipeline", "Stop", "Proposes to stop a running pipeline.", wiring.propose_stop),
    )
    return reading + tuple(
        OwnTool(name, title, words, shapes.ProposalArguments, shapes.Proposal, propose, changes=True)
        for name, title, words, propose in changing
        if propose is not None
    )


def build_server(wiring: Wiring) -> Server[Any, Any]:
    """A server for any transport. Calls run in threads, so a slow one keeps nobody else waiting."""
    from mcp.server.lowlevel import Server

    tools = {tool.name: tool for tool in own_tools(wiring)}
    server: Server[Any, Any] = Server(NAME, version=VERSION, instructions=INSTRUCTIONS)

    async def list_tools() -> list[Tool]:
        return [as_mcp(tool) for tool in tools.values()]

    async def call_tool(name: str, arguments: dict[str, Any]) -> CallToolResult:
        tool = tools.get(name)
        if tool is None:
            return _failure(f"There is no tool {name}. There are: {', '.join(tools)}.")
        return await asyncio.to_thread(_answer, tool, arguments, wiring.clean)

    async def nothing() -> list[Any]:
        return []

    # Called rather than used as decorators: the SDK's decorators carry no types.
    server.list_tools()(list_tools)  # type: ignore[no-untyped-call]
    # Some clients ask for these without looking whether we have any; an empty list serves them better than an error.
    server.list_resources()(nothing)  # type: ignore[no-untyped-call]
    server.list_prompts()(nothing)  # type: ignore[no-untyped-call]
    server.call_tool(validate_input=False)(call_tool)
    return server


def as_mcp(tool: OwnTool) -> Tool:
    """With all four hints, and with the shape of the answer."""
    from mcp.types import Tool, ToolAnnotations

    return Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        inputSchema=tool.takes.model_json_schema(),
        outputSchema=tool.gives.model_json_schema(mode="serialization"),
        annotations=ToolAnnotations(
            title=tool.title,
            readOnlyHint=not tool.changes,
            destructiveHint=False,  # a proposal destroys nothing; what it leads to is decided elsewhere
            idempotentHint=True,  # the same proposal twice is one proposal
            openWorldHint=True,
        ),
    )


def _answer(tool: OwnTool, arguments: dict[str, Any], clean: Clean) -> CallToolResult:
    from mcp.types import CallToolResult, TextContent

    try:
        given = tool.takes.model_validate(arguments)
    except ValidationError as problem:
        return _failure(_wrong_arguments(tool, problem))
    try:
        found = clean_value(tool.run(given).model_dump(mode="json"), clean)
    except UpstreamError as problem:
        return _failure(clean(f"{problem.message}. {problem.hint}".strip()))
    except Exception as problem:  # noqa: BLE001  one tool's error is an answer, and never the end of the server
        return _failure(clean(f"{tool.name} failed: {type(problem).__name__}: {problem}")[:500])
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return CallToolResult(content=[TextContent(type="text", text=text)], structuredContent=found, isError=False)


def _failure(words: str) -> CallToolResult:
    from mcp.types import CallToolResult, TextContent

    return CallToolResult(content=[TextContent(type="text", text=words)], isError=True)


def _wrong_arguments(tool: OwnTool, problem: ValidationError) -> str:
    first = problem.errors()[0]
    place = ".".join(str(step) for step in first["loc"]) or "arguments"
    known = ", ".join(tool.takes.model_fields)
    return f"{place}: {first['msg']}. {tool.name} takes: {known}."
