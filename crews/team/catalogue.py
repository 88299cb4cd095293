"""The documented CPU models, and which of them fit the memory here."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from opscrew.strict_yaml import load_strictly

MODELS = Path(__file__).with_name("models.yaml")
GIGABYTE = 1_000_000_000


class DocumentedModel(BaseModel):
    """``disk`` and ``memory`` in GB (10^9 bytes)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    disk: float = Field(gt=0)
    memory: float = Field(gt=0)
    thinking: bool
    use: str


class Catalogue(BaseModel):
    """``checked`` is the day of the last look at ``source``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    checked: date
    source: str
    models: tuple[DocumentedModel, ...]

    def fitting(self, memory_bytes: int) -> tuple[DocumentedModel, ...]:
        """Those that fit, smallest first."""
        return tuple(model for model in self.models if model.memory * GIGABYTE <= memory_bytes)


def load_catalogue(path: Path = MODELS) -> Catalogue:
    """Raises ``UsageError`` with file and line."""
    return load_strictly(path, Catalogue)


def memory_here(meminfo: Path = Path("/proc/meminfo"), limit: Path = Path("/sys/fs/cgroup/memory.max")) -> int | None:
    """Bytes that a model could still take on this machine, a container's limit included; None where nobody says."""
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
        available = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration, IndexError):
        return None
    try:
        return min(available, int(limit.read_text(encoding="ascii")))
    except (OSError, ValueError):  # no such file outside of containers; "max" where there is no limit
        return available
