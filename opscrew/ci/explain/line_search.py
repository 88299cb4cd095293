"""Which of many lines an expression finds, in one search over all of them: several times as quick as one for each."""

from __future__ import annotations

from typing import Any

import numpy as np

LINE_FEED = ord("\n")


def lines_found(expression: Any, text: bytes) -> list[int]:
    """The numbers, from 0, of the lines of ``text`` in which ``expression`` of RE2 finds something, each once.

    A match must not reach over the end of its line, since it would hide what stands in the next one.
    """
    starts = [match.start() for match in expression.finditer(text)]
    if not starts:
        return []
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == LINE_FEED)
    return list(dict.fromkeys(np.searchsorted(ends, starts).tolist()))
