"""Ignore lists, severities by namespace, and caps: what a team does not want to be told. Data in ``noise.yaml``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from opscrew.errors import UsageError
from opscrew.model.finding import Finding, Severity
from opscrew.strict_yaml import read_strictly

NOISE_FILE = Path(__file__).with_name("noise.yaml")
_PATTERNS = ("code", "kind", "namespace", "name", "reason")


@dataclass(frozen=True)
class Rule:
    """Patterns by field, and the severity to use (none means: ignore)."""

    patterns: Mapping[str, str]
    severity: Severity | None = None

    def fits(self, finding: Finding) -> bool:
        values = {
            "code": finding.code,
            "kind": finding.subject.kind,
            "namespace": str(finding.details.get("namespace", "")),
            "name": finding.subject.name,
            "reason": finding.reason,
        }
        return all(fnmatchcase(values[field], pattern) for field, pattern in self.patterns.items())


@dataclass(frozen=True)
class Noise:
    """The rules of one installation."""

    ignore: tuple[Rule, ...]
    severities: tuple[Rule, ...]
    info_findings_per_code: int

    def quieten(self, findings: Iterable[Finding]) -> tuple[list[Finding], dict[str, int]]:
        """Findings to show, and how many of each code were held back by the cap."""
        kept: list[Finding] = []
        shown: Counter[str] = Counter()
        held: Counter[str] = Counter()
        for finding in findings:
            if any(rule.fits(finding) for rule in self.ignore):
                continue
            rule = next((rule for rule in self.severities if rule.fits(finding)), None)
            if rule is not None:
                finding = finding.model_copy(update={"severity": rule.severity})
            if finding.severity is Severity.INFO and shown[finding.code] >= self.info_findings_per_code:
                held[finding.code] += 1
                continue
            shown[finding.code] += 1
            kept.append(finding)
        return kept, dict(held)


@cache
def load_noise(own: Path | None = None) -> Noise:
    """The shipped rules, with those of the file ``own`` before them. Raises ``UsageError`` for a wrong file."""
    shipped = _read(NOISE_FILE)
    if own is None:
        return _noise(shipped, NOISE_FILE)
    added = _read(own)
    merged = {
        "ignore": [*(added.get("ignore") or ()), *shipped["ignore"]],
        "severities": [*(added.get("severities") or ()), *shipped["severities"]],
        "info_findings_per_code": added.get("info_findings_per_code", shipped["info_findings_per_code"]),
    }
    if unknown := sorted(set(added) - set(merged)):
        raise UsageError(f"{own}: unknown key {unknown[0]}", f"It may hold {', '.join(merged)}.")
    return _noise(merged, own)


def _read(path: Path) -> dict[str, Any]:
    values, _ = read_strictly(path, hint="cluster_noise names a YAML file with rules.")
    if not isinstance(values, dict):
        raise UsageError(
            f"{path}: expected ignore, severities or a cap by name", "See opscrew/cluster/report/noise.yaml."
        )
    return values


def _noise(values: Mapping[str, Any], path: Path) -> Noise:
    cap = values["info_findings_per_code"]
    if not isinstance(cap, int) or isinstance(cap, bool) or cap < 0:
        raise UsageError(f"{path}: info_findings_per_code must be a whole number", "0 hides all hints.")
    return Noise(
        ignore=tuple(_rule(entry, path) for entry in values["ignore"]),
        severities=tuple(_rule(entry, path, needs_severity=True) for entry in values["severities"]),
        info_findings_per_code=cap,
    )


def _rule(entry: Any, path: Path, *, needs_severity: bool = False) -> Rule:
    if not isinstance(entry, dict) or not set(entry) - {"why", "severity"}:
        raise UsageError(f"{path}: a rule needs at least one of {', '.join(_PATTERNS)}", f"This does not: {entry}")
    allowed = {*_PATTERNS, "why", *(("severity",) if needs_severity else ())}
    if unknown := sorted(set(entry) - allowed):
        raise UsageError(
            f"{path}: unknown key {unknown[0]} in a rule", f"A rule may hold {', '.join(sorted(allowed))}."
        )
    if needs_severity and entry.get("severity") not in list(Severity):
        raise UsageError(f"{path}: severity must be one of {', '.join(Severity)}", f"This is not: {entry}")
    severity = Severity(entry["severity"]) if needs_severity else None
    return Rule({field: str(entry[field]) for field in _PATTERNS if field in entry}, severity)
