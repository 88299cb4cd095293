"""Counts tokens with the model's own tokenizer where it can be had, else with an estimate on the safe side."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from opscrew.memory.prompt_view import estimated_tokens

CountTokens = Callable[[str], int]

TOKENIZER = "tokenizer.json"


def tokenizer_file(data_dir: Path, model: str) -> Path:
    """Where the tokenizer of a model is looked for: models/<name>/tokenizer.json in the data folder. Model hosts do
    not count tokens for others; the file comes with every model on its publisher's page."""
    name = model.rpartition("/")[2]
    return data_dir / "models" / re.sub(r"[^\w.-]+", "-", name) / TOKENIZER


def token_counter(data_dir: Path, model: str) -> CountTokens:
    """``estimated_tokens`` counts more than tokenizers do, so a packet that fits by it fits in truth."""
    file = tokenizer_file(data_dir, model)
    if not file.is_file():
        return estimated_tokens
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
