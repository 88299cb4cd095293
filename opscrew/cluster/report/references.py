"""What a resource refers to by its fields, read by the conventions of names and by no knowledge of any product.

``secretStoreRef: {kind: SecretStore, name: vault}``, ``dependsOn: [{name: infra}]``, ``clusterName: c1``,
``resources: [{kind: Deployment, name: web}]``: a text or a mapping with a name is a reference, and its kind stands
beside the name or in the name of the field. Only resources that have a problem are ever compared with one, so a text
that is no reference at all does no harm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opscrew.cluster.custom.status_fields import own_states
from opscrew.cluster.custom.tones import Tone, tone_of_state
from opscrew.cluster.custom.vocabulary import word_lists, words_of
from tools.kubernetes.fields import mapping, text
from tools.kubernetes.records import Resource, group_of

_DEEPEST = 10
_SUFFIX = re.compile(r"(?:Refs?|References?|Name|ID)$")
_SAME_KIND = "dependson"
_SHORTEST_STEM = 3  # letters; nearly every kind ends like a shorter word


@dataclass(frozen=True, slots=True)
class FieldReference:
    """``stem`` is what the field calls it ("secretStore"); ``kind``, ``group`` and ``namespace`` are empty where
    nothing is said. ``is_bad`` is whether the reference itself says that what it leads to is not well."""

    stem: str
    name: str
    kind: str = ""
    group: str = ""
    namespace: str = ""
    is_bad: bool = False

    def fits(self, other: Resource, of: Resource, said: str) -> bool:
        """Whether it leads from ``of`` to ``other`` and may explain what ``of`` says. What a resource acts on, and
        built-in objects, have troubles of their own: they count only where the message or the reference says so."""
        return self._leads_to(other, of) and (
            self.is_bad or not self._needs_mention(other) or re.search(rf"\b{re.escape(self.name)}\b", said) is not None
        )

    def _leads_to(self, other: Resource, of: Resource) -> bool:
        if self.stem.lower() == _SAME_KIND and not self.kind:
            right_kind = (other.kind, other.group) == (of.kind, of.group)
        else:
            named_after = len(self.stem) >= _SHORTEST_STEM and other.kind.lower().endswith(self.stem.lower())
            right_kind = other.kind == self.kind if self.kind else named_after
        near = other.namespace in ("", self.namespace or of.namespace)
        return right_kind and near and self.group in ("", other.group)

    def _needs_mention(self, other: Resource) -> bool:
        acted_on = word_lists()["acted_on_references"].any_of(words_of(self.stem))
        return acted_on or not (other.is_custom or other.kind == "Node")


def references_of(resource: Resource) -> Iterator[FieldReference]:
    """All of its spec and status, in the order of the fields. What tells of a node ("StorageNode w-1") is called after
    it, and so refers to it by its name."""
    if "node" in words_of(resource.kind):
        yield FieldReference("node", resource.name, kind="Node")
    for part in (resource.spec, resource.status):
        yield from _walk(part, _DEEPEST)


def _walk(value: Mapping[str, Any], depth: int) -> Iterator[FieldReference]:
    for key, inner in value.items():
        stem = _SUFFIX.sub("", key)
        if word_lists()["asking_references"].any_of(words_of(stem)):
            continue  # "claimRef" leads to who asked for it
        if isinstance(inner, str):
            if stem:
                yield FieldReference(stem, inner)
            continue
        for member in inner if isinstance(inner, list) else [inner]:
            if isinstance(member, str) and stem.lower() == _SAME_KIND:
                yield FieldReference(stem, member)
            elif isinstance(member, dict):
                if name := text(member, "name"):
                    yield _read(stem, name, member)
                if depth > 1:
                    yield from _walk(member, depth - 1)


def _read(stem: str, name: str, member: Mapping[str, Any]) -> FieldReference:
    group = text(member, "group") or text(member, "apiGroup") or group_of(text(member, "apiVersion"))
    states = [*own_states(member), *own_states(mapping(member, "health"))]
    is_bad = any(tone_of_state(state) in (Tone.FAILURE, Tone.ABSENCE, Tone.PROGRESS) for _, state in states)
    return FieldReference(stem, name, text(member, "kind"), group, text(member, "namespace"), is_bad)
