"""crewai's view of our conversation with the model. Imported only after ``switches.set_switches``.

crewai's own LiteLLM route cannot set the context length, keep the model loaded, or stop; see ``hosts.py``.
"""

from __future__ import annotations

from typing import Any

from crewai import BaseLLM
from pydantic import PrivateAttr

from crews.team.conversation import Conversation
from opscrew.memory.prompt_view import estimated_tokens


class LocalModel(BaseLLM):
    """One per run. Everything is decided in ``Conversation``."""

    llm_type: str = "opscrew"
    _conversation: Conversation = PrivateAttr()

    @classmethod
    def of(cls, conversation: Conversation) -> LocalModel:
        settings = conversation.hosts.settings
        model = cls(model=settings.name, temperature=settings.temperature)
        model._conversation = conversation
        return model

    def call(  # noqa: PLR0913  crewai's signature
        self,
        messages: Any,
        tools: list[dict[str, Any]] | None = None,
        callbacks: Any = None,
        available_functions: Any = None,
        from_task: Any = None,
        from_agent: Any = None,
        response_model: Any = None,
    ) -> Any:
        """crewai wants text, a filled pydantic object, or a list of tool calls."""
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        return self._conversation.answer(messages, with_tools=bool(tools))

    def supports_function_calling(self) -> bool:
        return True

    def supports_stop_words(self) -> bool:
        return False

    def get_context_window_size(self) -> int:
        return self._conversation.hosts.settings.context_tokens

    def get_input_tokens_count(self, messages: Any, tools: Any = None, response_model: Any = None) -> int:
        return estimated_tokens(str(messages))
