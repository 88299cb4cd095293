"""Texts to vectors: all-MiniLM-L6-v2 on ONNX Runtime by default, any sentence-transformers model by its extra.

Everything here is loaded on first use and may be let go again with ``release()``: the model costs about 200 MB that
a daemon should not hold through a quiet night.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from opscrew.errors import CrewError
from opscrew.library_switches import set_library_switches
from opscrew.memory.bert_onnx import onnx_file, packaged_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

LONGEST = 256
"""Tokens of one text that are read; the model was trained with that limit and the rest is cut."""

TOKENS_AT_ONCE = 1024
"""Padded tokens in one pass. Memory grows with this: 8 x 256 needs about 150 MB more than 4 x 256."""

DEFAULT_MODEL = "all-MiniLM-L6-v2"


class Embedder(Protocol):
    """``name`` changes whenever the vectors do: an index keeps it and is rebuilt when it differs."""

    name: str

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row of length one for each text, in the same order: [texts, dimensions]."""

    def release(self) -> None:
        """Gives the memory back. The next ``embed`` loads again."""


class MiniLm:
    """The default. ``folder`` keeps the converted model; one thread, so that a daemon's other work goes on."""

    name = DEFAULT_MODEL

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self._folder = folder
        self._threads = threads
        self._loaded: tuple[Any, Any] | None = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        tokenizer, session = self._load()
        encoded = tokenizer.encode_batch(list(texts))
        vectors = np.zeros((len(encoded), 384), dtype=np.float32)
        for batch in _batches([len(one.ids) for one in encoded]):
            width = max(len(encoded[i].ids) for i in batch)
            ids = np.zeros((len(batch), width), dtype=np.int64)
            mask = np.zeros_like(ids)
            for row, i in enumerate(batch):
                ids[row, : len(encoded[i].ids)] = encoded[i].ids
                mask[row, : len(encoded[i].ids)] = 1
            vectors[batch] = session.run(None, {"ids": ids, "mask": mask})[0]
        return vectors

    def release(self) -> None:
        self._loaded = None
        _return_memory()

    def _load(self) -> tuple[Any, Any]:
        if self._loaded is None:
            set_library_switches()
            import onnxruntime
            from tokenizers import Tokenizer

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = self._threads
            # The arena keeps the largest batch for ever; without it memory falls back after indexing.
            options.enable_cpu_mem_arena = False
            options.log_severity_level = 3
            tokenizer = Tokenizer.from_file(str(packaged_model() / "tokenizer.json"))
            tokenizer.no_padding()
            tokenizer.enable_truncation(LONGEST)
            session = onnxruntime.InferenceSession(
                str(onnx_file(self._folder)), options, providers=["CPUExecutionProvider"]
            )
            self._loaded = tokenizer, session
        return self._loaded


class SentenceTransformersModel:
    """Any model of that library, by name or folder; needs the extra ``sentence-transformers`` (and so torch)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._model: Any = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        if self._model is None:
            set_library_switches()
            try:
                from sentence_transformers import SentenceTransformer
            except ImportError as problem:
                raise CrewError(
                    f"the embedding model {self.name} needs sentence-transformers, which is not installed",
                    "pip install 'opscrew[sentence-transformers]'",
                ) from problem
            try:
                self._model = SentenceTransformer(self.name, device="cpu")
            except OSError as problem:
                raise CrewError(
                    f"the embedding model {self.name} is not on this machine", "Nothing is downloaded: name its folder."
                ) from problem
        vectors = self._model.encode(list(texts), batch_size=4, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)

    def release(self) -> None:
        self._model = None


def embedder(model: str, folder: Path, threads: int = 1) -> Embedder:
    """``model`` as in the settings: the default's name, else a sentence-transformers name or folder."""
    return MiniLm(folder, threads) if model == DEFAULT_MODEL else SentenceTransformersModel(model)


def _return_memory() -> None:
    """glibc keeps freed memory for itself unless asked: 60 MB here. On other systems nothing happens."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _batches(lengths: list[int]) -> list[list[int]]:
    """Positions grouped by similar length, so that little of a batch is padding and none exceeds the limit."""
    batches: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        widest = max(lengths[position], 1)  # sorted: the newest is the longest
        if batches and widest * (len(batches[-1]) + 1) <= TOKENS_AT_ONCE:
            batches[-1].append(position)
        else:
            batches.append([position])
    return batches
