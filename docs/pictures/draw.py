"""Turns a terminal run into a picture.

FORCE_COLOR=1 crew demo | python docs/pictures/draw.py docs/pictures/demo.svg
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

MOST_LINES = 70
"""What fits a page; the middle of a longer run is left out, and the picture says so."""


def main(target: str) -> None:
    lines = sys.stdin.read().splitlines()
    if len(lines) > MOST_LINES:
        left_out = len(lines) - MOST_LINES
        lines = [*lines[: MOST_LINES - 15], f"       … {left_out} lines …", *lines[-15:]]
    console = Console(record=True, width=82, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi("\n".join(lines)))
    svg = console.export_svg(title="crew demo")
    # A picture in a repository must not fetch fonts from somewhere; the viewer's own monospace font will do.
    svg = re.sub(r"@font-face \{.*?\}", "", re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL), flags=re.DOTALL)
    Path(target).write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
