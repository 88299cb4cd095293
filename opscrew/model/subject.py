"""What a finding, an action or a question is about."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Subject(BaseModel):
    """One thing in one outside system.

    ``system`` is the folder name under ``tools/`` ("bitbucket", "kubernetes"), or "crew" for ourselves.
    ``kind`` is the system's own word ("pipeline", "Pod"). ``scope`` is where names are unique:
    "workspace/repository", "cluster/namespace", a Google Cloud project; empty where there is none.
    """

    model_config = ConfigDict(frozen=True)

    system: str
    kind: str
    scope: str = ""
    name: str
    url: str = ""

    @property
    def key(self) -> str:
        """A stable identity, "system/kind/scope/name"; the URL is no part of it, since addresses move."""
        return "/".join((self.system, self.kind, self.scope, self.name))

    def __str__(self) -> str:
        return f"{self.kind} {self.scope + '/' if self.scope else ''}{self.name}"
