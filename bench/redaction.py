"""How many made-up secrets are found, how many harmless strings are harmed, and what it costs."""

from __future__ import annotations

import gzip
import json
import time
from collections import Counter
from pathlib import Path

from bench.secrets_corpus import harmless, is_left, secrets
from bench.section import Row, Section, at_least, at_most
from opscrew.redaction import redact

SEED, OF_EACH, STRINGS = 20261130, 30, 500
MOST_LOGS, EVERY = 40, 8
LARGEST_PIECE = 400_000


def measure(data: Path) -> Section:
    """The corpus is drawn by seed; real build logs hold hardly a secret, so what changes there is likely harm."""
    samples = list(secrets(SEED, OF_EACH))
    left = Counter(sample.context for sample in samples if is_left(sample, redact(sample.text)))
    strings = list(harmless(SEED, STRINGS))
    harmed = sum(redact(text) != text for text in strings)
    kinds = len({(sample.kind, sample.context if sample.kind == "password" else "") for sample in samples})
    worst = ", ".join(f"{context} {count}" for context, count in left.most_common(3)) or "none left"
    return Section(
        "redaction",
        "Secrets in text",
        f"{len(samples):,} made-up secrets of {kinds} kinds in the contexts in which logs and tools show them, "
        f"{STRINGS} harmless strings that look like them, and real build logs.",
        [
            at_least("recall", 1 - sum(left.values()) / len(samples), 0.98, worst),
            at_most("harmless strings harmed", 100 * harmed / len(strings), 0.5, digits=1, unit=" %"),
            *_real_logs(data),
        ],
    )


def _real_logs(data: Path) -> list[Row]:
    lines = [line for path in _paths(data) for line in _read(path)]
    size = sum(len(line) + 1 for line in lines) / 1_000_000
    redact("token=0a1b2c3d")  # the first one builds the patterns
    began = time.process_time()
    changed = sum(redact(line) != line for line in lines)
    spent = time.process_time() - began
    return [
        Row("lines of real build logs changed", f"{changed} of {len(lines):,}"),
        Row("one line, mean", f"{spent / len(lines) * 1e6:.1f} us", reference=f"{spent / size * 1000:.0f} ms for 1 MB"),
    ]


def _paths(data: Path) -> list[Path]:
    index = data / "b_logchunks.jsonl"
    rows = [json.loads(line) for line in index.read_text(encoding="utf-8").splitlines()]
    return [data / row["log"] for row in rows[::EVERY]][:MOST_LOGS]


def _read(path: Path) -> list[str]:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return raw[:LARGEST_PIECE].decode("utf-8", "replace").splitlines()
