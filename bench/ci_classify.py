"""How well `crew ci classify` tells failures that a re-run may rescue from those that it does not.

Signatures are written by hand, so nothing is fitted here. Yet whoever wrote them had read these rows. The held-out
numbers therefore judge each project without the signatures that no row of another project needed.
"""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.ci_frames import classify_rows
from bench.section import Row, Section, at_least, at_most
from opscrew.ci.explain.lines import Explanation, explain
from opscrew.ci.judge.classify import Classification, Verdict, classify
from opscrew.ci.judge.signatures.catalog import Catalog, catalog

FILES = ("a_ci_transient.jsonl", "a_logchunks_negatives.jsonl")
WRITTEN = Path(__file__).resolve().parents[1] / "tests" / "opscrew" / "ci" / "data" / "failures"
MEGABYTE = 1 << 20

REFERENCE = "one retry regex P 1.00, F1 0.30; taxonomy P 0.80, F1 0.22; network words P 0.61, F1 0.65"


@dataclass(frozen=True)
class Case:
    """One labelled failure, explained once."""

    row: dict[str, Any]
    explanation: Explanation

    @property
    def project(self) -> str:
        return str(self.row["project"])


def measure(data: Path) -> Section:
    """The section of docs/BENCHMARKS.md."""
    score = _scorer(data)
    rows = [json.loads(line) for name in FILES for line in (data / name).read_text("utf-8").splitlines() if line]
    excerpts = [Case(row, explain(io.BytesIO(row["excerpt"].encode()))) for row in rows]
    logs = [
        Case(row, _explained(data / row["log"])) if row["log"] else case
        for row, case in zip(rows, excerpts, strict=True)
    ]
    table = [
        *_core("excerpts", score(rows, _labels(excerpts))),
        *_core("full logs where there is one", score(rows, _labels(logs))),
        *_core("excerpts, held-out projects", score(rows, _held_out(excerpts))),
        *_core("full logs, held-out projects", score(rows, _held_out(logs))),
        *_framed(score, rows, excerpts),
        *_written(),
        *_speed(data, rows),
    ]
    return Section(
        name="ci_classify",
        title="Is a re-run worth it",
        intro=(
            f"{len(rows)} labelled failures. Held-out: each project is judged without the signatures that decided rows "
            "of no other project, as if its rows had never been read. Rows called ambiguous are not counted."
        ),
        rows=table,
    )


def _core(what: str, scored: dict[str, Any]) -> list[Row]:
    core, negatives = scored["core_set"], scored["logchunks"]
    ambiguous, of = scored["ambiguous_called_transient"]
    return [
        at_least(f"precision, {what}", core["precision"], 0.95, REFERENCE if what == "excerpts" else ""),
        at_least(f"recall, {what}", core["recall"], 0.75),
        at_most(f"re-run of a genuine LogChunks failure, {what}", negatives["fpr"], 0.005),
        Row(f"ambiguous ones called transient, {what}", f"{ambiguous} of {of}"),
    ]


def _framed(score: Any, rows: list[dict[str, Any]], excerpts: list[Case]) -> list[Row]:
    def figures(judged: list[Classification]) -> dict[str, float]:
        core = score(rows, [_label(case, one) for case, one in zip(excerpts, judged, strict=True)])["core_set"]
        return {"precision": core["precision"], "recall": core["recall"]}

    texts = [case.row["excerpt"] for case in excerpts]
    return classify_rows([classify(case.explanation) for case in excerpts], texts, figures)


def _labels(cases: list[Case]) -> list[dict[str, str]]:
    return [_label(case, classify(case.explanation)) for case in cases]


def _held_out(cases: list[Case]) -> list[dict[str, str]]:
    judged = [classify(case.explanation) for case in cases]
    needed_by: dict[str, set[str]] = defaultdict(set)
    for case, classification in zip(cases, judged, strict=True):
        needed_by[classification.signature].add(case.project)
    labels = []
    for case, classification in zip(cases, judged, strict=True):
        own = {signature for signature, projects in needed_by.items() if projects == {case.project}}
        again = classify(case.explanation, known=_without(frozenset(own))) if own else classification
        labels.append(_label(case, again))
    return labels


_smaller: dict[frozenset[str], Catalog] = {}


def _without(names: frozenset[str]) -> Catalog:
    if names not in _smaller:
        whole = catalog()
        kept = tuple(signature for signature in whole.signatures if signature.id not in names)
        _smaller[names] = Catalog(kept, whole.shared)
    return _smaller[names]


def _label(case: Case, classification: Classification) -> dict[str, str]:
    return {"id": case.row["id"], "label": classification.verdict.value}


def _written() -> list[Row]:
    """Failures of many tools that were written for the tests, from knowledge of the tools and not from these rows."""
    judged: dict[bool, list[bool]] = defaultdict(list)
    for path in sorted(WRITTEN.glob("*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for failure in content["failures"]:
            found = classify(explain(io.BytesIO(failure["log"].encode())))
            judged[content["verdict"] == Verdict.TRANSIENT].append(found.verdict is Verdict.TRANSIENT)
    passing, lasting = judged[True], judged[False]
    return [
        Row(
            f"recall, {len(passing)} failures written as other tools print them",
            f"{statistics.mean(passing):.3f}",
            reference="0.851 at first sight, before any signature was made for one of them",
        ),
        Row(f"re-run, {len(lasting)} lasting ones written likewise", str(sum(lasting)), reference="1 at first sight"),
    ]


def _speed(data: Path, rows: list[dict[str, Any]]) -> list[Row]:
    """Processor time for explaining and judging one megabyte of log, each megabyte read for the first time."""
    joined = b"".join(gzip.decompress((data / row["log"]).read_bytes()) for row in rows[-120:] if row["log"])
    pieces = [joined[start : start + MEGABYTE] for start in range(0, len(joined) - MEGABYTE, MEGABYTE)][:12]
    classify(explain(io.BytesIO(pieces[0])))
    times = []
    for piece in pieces[1:]:
        started = time.process_time()
        classify(explain(io.BytesIO(piece)))
        times.append((time.process_time() - started) * 1000)
    return [at_most("explain and classify 1 MB, median", statistics.median(times), 50, digits=0, unit=" ms")]


def _explained(path: Path) -> Explanation:
    with gzip.open(path) as log:
        return explain(log)  # type: ignore[arg-type]


def _scorer(data: Path) -> Any:
    """The data's own scoring program, so that its numbers and these cannot drift apart."""
    spec = importlib.util.spec_from_file_location("score", data / "score.py")
    if spec is None or spec.loader is None or not (data / "score.py").is_file():
        raise FileNotFoundError(f"{data / 'score.py'} scores these rows")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.score_a
