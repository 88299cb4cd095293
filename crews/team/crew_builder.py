"""Builds crewai's Agent, Task and Crew from our data, runs them once, and throws them away.

One Crew per run, since a Crew is not re-entrant. Everything in crewai that multiplies calls (retries, planning,
memory, delegation, caching) is off, and everything that decides (limits, permission) is ours.
"""

from __future__ import annotations

from typing import Any

from crews.team.budget import RunOver
from crews.team.conversation import Conversation
from crews.team.outputs import Output
from crews.team.roles import Role, TaskText
from crews.team.state import Condition, ModelTrouble
from crews.team.switches import quiet_libraries, set_switches

MOST_TURNS = 12
"""Never reached in practice: deadline, tokens and patience end a run earlier."""


def run_crew(conversation: Conversation, role: Role, task: TaskText, prompt: str, *, with_tools: bool) -> Output | str:
    """The agent's answer. Raises ``RunOver`` or ``ModelTrouble``; crewai's own exceptions never get out."""
    set_switches(conversation.hosts.data_dir)
    conversation.stopped = None
    try:
        return _kickoff(conversation, role, task, prompt, with_tools=with_tools)
    except (RunOver, ModelTrouble):
        raise
    except (Exception, SystemExit) as problem:  # noqa: BLE001  crewai wraps errors and even calls exit()
        stopped = conversation.stopped
        words = f"the agent stopped: {type(problem).__name__}: {problem}"[:300]
    raise stopped or ModelTrouble(Condition.BROKEN, words)


def _kickoff(conversation: Conversation, role: Role, task: TaskText, prompt: str, *, with_tools: bool) -> Output | str:
    from crewai import Agent, Crew, Process, Task
    from crewai.hooks.dispatch import InterceptionPoint, register_scoped, scoped_hooks

    from crews.team.local_model import LocalModel

    quiet_libraries()
    agent = Agent(
        role=role.role,
        goal=role.goal,
        backstory=role.backstory,
        llm=LocalModel.of(conversation),
        tools=_crewai_tools(conversation) if with_tools else [],
        max_iter=MOST_TURNS,
        max_retry_limit=0,
        allow_delegation=False,
        respect_context_window=False,
        cache=False,
        verbose=False,
    )
    work = Task(description=prompt, expected_output=task.expected_output, agent=agent, human_input=False)
    crew = Crew(
        agents=[agent],
        tasks=[work],
        process=Process.sequential,
        memory=False,
        cache=False,
        planning=False,
        share_crew=False,
        tracing=False,
        verbose=False,
    )
    with scoped_hooks():
        register_scoped(InterceptionPoint.PRE_TOOL_CALL, _only_our_tools(conversation))
        crew.kickoff()
    answer = conversation.last_answer
    if answer is None:
        raise ModelTrouble(Condition.BROKEN, "the agent ended without an answer")
    return answer


def _crewai_tools(conversation: Conversation) -> list[Any]:
    """Thin wrappers: the gate inside ``Toolbox.use`` decides."""
    from crewai.tools import BaseTool
    from pydantic import BaseModel, PrivateAttr

    class NoFields(BaseModel):
        """crewai checks arguments against fields; the gate checks them against the server's own schema."""

    class GatedTool(BaseTool):
        _conversation: Conversation = PrivateAttr()

        def _run(self, **arguments: Any) -> str:
            return self._conversation.toolbox.use(self.name, arguments)

    wrapped = []
    for tool in conversation.toolbox.tools:
        gated = GatedTool(name=tool.name, description=tool.description, args_schema=NoFields)
        gated._conversation = conversation
        wrapped.append(gated)
    return wrapped


def _only_our_tools(conversation: Conversation) -> Any:
    """Closes the door for tools that crewai may add by itself. Fails closed: any doubt is an abort."""
    from crewai.hooks.dispatch import HookAborted

    def before_tool(context: Any) -> None:
        try:
            allowed = context.tool_name in conversation.toolbox.names and not conversation.control.cancelled
        except Exception as problem:  # an ordinary exception in a hook would let the tool run
            raise HookAborted(f"the permission check failed: {problem}") from problem
        if not allowed:
            raise HookAborted(f"{context.tool_name} is not offered in this run")

    return before_tool
