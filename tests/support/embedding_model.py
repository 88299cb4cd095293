"""The converted embedding model, made once and kept in pytest's cache: converting costs five seconds each time.

For tests that need a model and are not about the conversion.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from opscrew.memory import bert_onnx


def place_converted_model(cache: pytest.Cache, folder: Path) -> None:
    """Puts it into ``folder``, where ``MiniLm(folder)`` looks. Another converter or other weights make another one."""
    source = Path(bert_onnx.__file__).read_bytes() + str(bert_onnx.packaged_model().stat().st_mtime_ns).encode()
    kept = cache.mkdir("embedding") / hashlib.sha256(source).hexdigest()[:16]
    made = bert_onnx.onnx_file(kept)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        os.link(made, folder / made.name)
    except OSError:  # another file system
        shutil.copyfile(made, folder / made.name)
