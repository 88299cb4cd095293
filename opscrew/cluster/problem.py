"""What a check returns: one problem of one resource, before it is folded and worded as a finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opscrew.model.finding import Severity
from tools.kubernetes.records import Resource


@dataclass(frozen=True, slots=True)
class Problem:
    """``reason`` is Kubernetes' own word where there is one; ``cause`` one sentence for a person.

    ``aspect`` tells apart two problems of one code on one resource (a container, a condition). ``facts`` are lines a
    person can check. ``caused_by`` names other resources that this one only suffers from, as ``Resource.key``;
    ``affects`` are resources that suffer from it and may not be told yet. ``severity`` and ``next_step`` override those
    of the code.
    """

    code: str
    resource: Resource
    reason: str
    cause: str
    aspect: str = ""
    facts: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    caused_by: tuple[tuple[str, str, str], ...] = ()
    affects: tuple[Resource, ...] = ()
    severity: Severity | None = None
    next_step: str = ""
