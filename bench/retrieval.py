"""Finding the right runbook or incident: each step of the ranking measured, on write-ups that others published.

Nothing is trained. The few numbers in `opscrew/memory/` were chosen on the development part, whose projects the
acceptance part does not contain; they sit on plateaus, which the rows with the steps let a reader check.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.section import Row, Section, at_least
from opscrew.memory.bert_onnx import onnx_file
from opscrew.memory.documents import Document, opening
from opscrew.memory.embedding import MiniLm
from opscrew.memory.search import Search
from opscrew.memory.vectors import MemoryVectors
from opscrew.memory.word_index import weighted

TOP = 10
MASK = "this alert"


@dataclass(frozen=True)
class Case:
    """One set of documents with its queries: (text, ids of the right documents)."""

    documents: list[Document]
    queries: list[tuple[str, set[str]]]


def measure(data: Path) -> Section:
    if not (data / "f_runbook_docs.jsonl").is_file():
        raise FileNotFoundError("the retrieval sets (BENCH_DATA/f_*.jsonl)")
    sets = {
        "alert text": _alerts(data, "query"),
        "PromQL alone": _alerts(data, "expr"),
        "cross-project, all names masked": _cross(data, everyone=True),
        "cross-project, that name masked": _cross(data, everyone=False),
        "post-mortem": _post_mortems(data),
    }
    folder = Path(tempfile.gettempdir()) / "crew-bench-model"
    onnx_file(folder)
    embedder = _Remembering(MiniLm(folder, threads=2))
    steps = {name: _steps(cases, embedder) for name, cases in sets.items()}
    targets = {
        "alert text": (0.92, "BM25 .86, rank fusion .90"),
        "PromQL alone": (0.65, "BM25 .60, rank fusion .56"),
        "cross-project, all names masked": (0.90, "BM25 .83, rank fusion .78"),
        "post-mortem": (0.95, "BM25 .93, rank fusion .95"),
    }
    rows = []
    for name, found in steps.items():
        target, reference = targets.get(name, (None, "harder: the other names stay and mislead"))
        full = found["all"]
        rows.append(
            at_least(f"MRR@10 {name}", full, target, reference)
            if target
            else Row(f"MRR@10 {name}", f"{full:.3f}", "", reference)
        )
        rows.append(Row(f"  words / + vectors / + reading expressions ({_count(sets[name])} queries)", _shown(found)))
    rows += _speed(sets["alert text"][0], embedder)
    intro = "Mean reciprocal rank of the first right document over published runbooks (452) and post-mortems (242)."
    return Section("retrieval", "Finding runbooks and incidents", intro, rows)


def _steps(cases: list[Case], embedder: _Remembering) -> dict[str, float]:
    """The same ranking with parts left out."""
    words_only, fused, everything = [], [], []
    for case in cases:
        vectors = MemoryVectors(embedder)
        vectors.update([piece for document in case.documents for piece in opening(document)])
        search = Search(case.documents, vectors)
        for text, right in case.queries:
            everything.append(_reciprocal_rank(search.ranked(text, TOP), right))
            words_only.append(_reciprocal_rank(_by_words(search, text), right))
            fused.append(_reciprocal_rank(_as_prose(search, text), right))
    means = (sum(values) / len(values) for values in (words_only, fused, everything))
    return dict(zip(("words", "fused", "all"), means, strict=True))


def _by_words(search: Search, text: str) -> list[str]:
    return _order(search, search.index.scores(weighted(text)))


def _as_prose(search: Search, text: str) -> list[str]:
    from opscrew.memory.ranking import fuse

    assert search.vectors is not None
    near = search.vectors.nearness(text)
    by_words = search.index.scores(weighted(text))
    return _order(search, fuse(by_words, [near[document.id][0] for document in search.documents]))


def _order(search: Search, scores: list[float]) -> list[str]:
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    return [search.documents[place].id for place in order[:TOP]]


def _reciprocal_rank(ranked: list[str], right: set[str]) -> float:
    return next((1 / rank for rank, identity in enumerate(ranked, 1) if identity in right), 0.0)


def _shown(found: dict[str, float]) -> str:
    return " / ".join(f"{found[step]:.3f}" for step in ("words", "fused", "all"))


def _count(cases: list[Case]) -> int:
    return sum(len(case.queries) for case in cases)


def _speed(case: Case, embedder: _Remembering) -> list[Row]:
    started = perf_counter()
    search = Search(case.documents)
    built = perf_counter() - started
    search.vectors = MemoryVectors(embedder)
    search.vectors.update([piece for document in case.documents for piece in opening(document)])
    started = perf_counter()
    for text, _ in case.queries:
        search.ranked(text)
    each = (perf_counter() - started) / len(case.queries)
    return [
        Row("word index of 452 runbooks, built", f"{built:.2f} s"),
        Row("one search, its vector already known", f"{each * 1000:.1f} ms"),
    ]


class _Remembering:
    """Embeds each text once: the sets share most of their documents."""

    name = MiniLm.name

    def __init__(self, inner: MiniLm) -> None:
        self._inner = inner
        self._known: dict[str, Any] = {}

    def embed(self, texts: Iterable[str]) -> Any:
        import numpy as np

        texts = list(texts)
        new = sorted({text for text in texts if text not in self._known})
        if new:
            self._known.update(zip(new, self._inner.embed(new), strict=True))
        return np.array([self._known[text] for text in texts])

    def release(self) -> None:
        self._inner.release()


def _alerts(data: Path, field: str) -> list[Case]:
    documents = [_document(row) for row in _rows(data / "f_runbook_docs.jsonl")]
    queries = [(row[field], set(row["relevant"])) for row in _rows(data / "f_runbook_queries.jsonl")]
    return [Case(documents, queries)]


def _post_mortems(data: Path) -> list[Case]:
    documents = [_document(row) for row in _rows(data / "f_postmortem_docs.jsonl")]
    return [
        Case(documents, [(row["query"], set(row["relevant"])) for row in _rows(data / "f_postmortem_queries.jsonl")])
    ]


def _cross(data: Path, *, everyone: bool) -> list[Case]:
    """One project's words against the other project's documents, with alert names masked in both."""
    documents = list(_rows(data / "f_runbook_docs.jsonl"))
    named = {row["title"] for row in documents if re.fullmatch(r"[A-Z][A-Za-z]+", row["title"])}
    cases = []
    for query in _rows(data / "f_runbook_cross_queries.jsonl"):
        names = named if everyone else {Path(identity.split(":")[-1]).stem for identity in query["relevant"]}
        pattern = re.compile("|".join(sorted(map(re.escape, names), key=len, reverse=True)))
        masked = [
            Document(row["doc_id"], pattern.sub(MASK, row["title"]), pattern.sub(MASK, row["text"]))
            for row in documents
            if row["family"] == query["to_family"]
        ]
        cases.append(Case(masked, [(query["query"], set(query["relevant"]))]))
    return cases


def _document(row: dict[str, Any]) -> Document:
    return Document(row["doc_id"], row["title"], row["text"])


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]
