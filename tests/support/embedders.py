"""An embedder for tests of the keepers: exact, instant, and near where texts share words."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from opscrew.memory.words import words


class WordEmbedder:
    """A fixed direction for each word, summed. Counts what it embeds, so that tests see what was indexed anew."""

    def __init__(self, name: str = "words") -> None:
        self.name = name
        self.embedded = 0
        self.released = 0

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.embedded += len(texts)
        rows = np.array([sum(map(self._direction, words(text)), np.full(64, 1e-6)) for text in texts])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def release(self) -> None:
        self.released += 1

    def _direction(self, word: str) -> np.ndarray:
        return np.random.default_rng(zlib.crc32(word.encode())).standard_normal(64)
