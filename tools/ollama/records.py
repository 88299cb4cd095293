"""What an Ollama host says about its models. Unknown fields are ignored: the API grows with every release."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Record(BaseModel):
    """Read-only, and tolerant of what a newer server adds."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ModelDetails(Record):
    """``parameter_size`` and ``quantization_level`` as Ollama writes them ("4.0B", "Q4_K_M")."""

    family: str = ""
    parameter_size: str = ""
    quantization_level: str = ""


class InstalledModel(Record):
    """A model on the host's disk. ``size`` is in bytes."""

    name: str
    size: int = 0
    details: ModelDetails = ModelDetails()


class LoadedModel(Record):
    """A model in memory. ``size`` is in bytes, context included; ``size_vram`` is the part on a GPU."""

    name: str
    size: int = 0
    size_vram: int = 0
    context_length: int = 0
    expires_at: datetime | None = None


class Timing(Record):
    """One answer's timing as the host measured it, durations in nanoseconds. Cached prompt tokens cost no time."""

    prompt_eval_count: int = 0
    prompt_eval_duration: int = 0
    eval_count: int = 0
    eval_duration: int = 0
    load_duration: int = 0

    @property
    def prompt_speed(self) -> float | None:
        """Tokens read per second."""
        return self.prompt_eval_count / self.prompt_eval_duration * 1e9 if self.prompt_eval_duration else None

    @property
    def output_speed(self) -> float | None:
        """Tokens written per second."""
        return self.eval_count / self.eval_duration * 1e9 if self.eval_duration else None

    @property
    def load_seconds(self) -> float:
        return self.load_duration / 1e9


class ModelCard(Record):
    """What ``/api/show`` says of one model."""

    capabilities: tuple[str, ...] = ()
    parameters: str = ""
    details: ModelDetails = ModelDetails()
    model_info: dict[str, Any] = Field(default_factory=dict)

    @property
    def context_tokens(self) -> int | None:
        """The longest context the model was made for, or None where the file does not say."""
        found = [
            value
            for key, value in self.model_info.items()
            if key.endswith(".context_length") and isinstance(value, int)
        ]
        return max(found, default=None)

    @property
    def calls_tools(self) -> bool:
        return "tools" in self.capabilities

    @property
    def thinks(self) -> bool:
        return "thinking" in self.capabilities
