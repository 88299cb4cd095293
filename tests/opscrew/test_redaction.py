"""Secrets leave no text; ordinary lines stay as they are."""

import pytest
import yaml

from opscrew.redaction import MASK, PATTERNS_FILE, redact

PATTERNS = yaml.safe_load(PATTERNS_FILE.read_text(encoding="utf-8"))["patterns"]


@pytest.mark.parametrize("entry", PATTERNS, ids=lambda entry: entry["name"])
def test_every_pattern_takes_its_example_out(entry: dict[str, str]) -> None:
    assert MASK in redact(entry["example"])


@pytest.mark.parametrize(
    "line",
    [
        "SyntaxError: Unexpected token '}' in JSON at position 12",
        "error: expected identifier or '(' before ':' token",
        "Get https://registry.example.org/v2/: net/http: TLS handshake timeout",
        "2026-10-06T12:00:00Z fatal: could not read Username for 'https://git.example.org'",
        "Parse error: unexpected token: identifier at line 3",
    ],
)
def test_ordinary_lines_stay(line: str) -> None:
    assert redact(line) == line


def test_only_the_secret_part_of_a_url_goes() -> None:
    assert redact("clone https://ci:hunter22@git.example.org/r") == f"clone https://ci:{MASK}@git.example.org/r"
