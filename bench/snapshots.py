"""How many whole snapshots are told as a person would tell them: which object, how grave, why, and nothing else.

A case is a Kubernetes List that `crew cluster check --input` reads, with four more fields: `now`, `after` (the public
report it was made after), `why`, and `expect`, one entry per problem that should be told:

    {severity: warning, subject: Pod shop/api-0, says: [...], not_says: [...], next: [...]}

`says` and `not_says` are looked for in the cause, `next` in the next step, in any case of letters. No entry means that
no problem may be told; a hint is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from bench.section import Row, Section, at_least, at_most
from opscrew.cluster.assessment import assess
from opscrew.cluster.report.noise import load_noise
from opscrew.cluster.snapshot_files import read_snapshot
from opscrew.model.finding import Finding

CASES = Path(__file__).resolve().parent.parent / "tests" / "opscrew" / "cluster" / "data" / "snapshots"
_INTRO = (
    "Small snapshots made after public reports, names replaced; all of them were used to tune. Right means: each fault "
    "is told of the right object, with the right severity and cause, and nothing else is told."
)


def measure(data: Path) -> Section:
    """Judges every case of the checkout; ``data`` is not needed."""
    del data
    wrong = {path.stem: list(faults(path)) for path in cases()}
    kinds = [fault.split(":")[0] for found in wrong.values() for fault in found]
    right = sum(not found for found in wrong.values())
    return Section(
        "snapshots",
        "Snapshots after public reports",
        _INTRO,
        [
            at_least("told as a person would", right / len(wrong), 0.95),
            at_most("false alarms", kinds.count("false alarm"), 1, digits=0),
            at_most("faults that were missed", kinds.count("missed"), 1, digits=0),
            Row("snapshots", str(len(wrong))),
        ],
    )


def cases(folder: Path = CASES) -> list[Path]:
    """Every case, by name."""
    return sorted(folder.glob("*.yaml"))


def faults(path: Path) -> Iterator[str]:
    """What a person would object to: "missed: ...", "false alarm: ..." or "wrong words: ...". Nothing where all is
    right."""
    case = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    now = datetime.fromisoformat(case["now"])
    told = assess(read_snapshot(path, now).snapshot, load_noise()).problems
    yield from compare(case["expect"], told)


def compare(expected: Sequence[Mapping[str, Any]], told: Sequence[Finding]) -> Iterator[str]:
    """Each expectation takes the problem that fits best of those about its object; what is left is a false alarm."""
    left = list(told)
    for wish in expected:
        about = [finding for finding in left if _subject(finding) == wish["subject"]]
        if not about:
            yield f"missed: {wish['subject']}"
            continue
        best = min(about, key=lambda finding: len(_objections(wish, finding)))
        left.remove(best)
        yield from _objections(wish, best)
    for finding in left:
        yield f"false alarm: {_subject(finding)} {finding.code}: {finding.cause}"


def _objections(wish: Mapping[str, Any], finding: Finding) -> list[str]:
    cause, next_step = finding.cause.lower(), finding.next_step.lower()
    found = [f"no word of {word!r} in: {finding.cause}" for word in wish.get("says", ()) if word.lower() not in cause]
    found += [f"{word!r} in: {finding.cause}" for word in wish.get("not_says", ()) if word.lower() in cause]
    found += [f"no {word!r} in: {finding.next_step}" for word in wish.get("next", ()) if word.lower() not in next_step]
    if finding.severity != wish["severity"]:
        found.append(f"{finding.severity} instead of {wish['severity']}")
    return [f"wrong words: {text}" for text in found]


def _subject(finding: Finding) -> str:
    namespace = finding.details.get("namespace")
    return f"{finding.subject.kind} {f'{namespace}/' if namespace else ''}{finding.subject.name}"
