"""Secrets leave no text; ordinary lines stay as they are."""

import json
import time

import pytest
import yaml

from opscrew.redaction import MASK, PATTERNS_FILE, forget_own, mask_also, redact, without_private_keys

PATTERNS = yaml.safe_load(PATTERNS_FILE.read_text(encoding="utf-8"))["patterns"]


@pytest.mark.parametrize("entry", PATTERNS, ids=lambda entry: entry["name"])
def test_every_pattern_takes_its_example_out(entry: dict[str, str]) -> None:
    assert MASK in redact(entry["example"])


def test_half_a_character_is_no_reason_to_fail() -> None:
    assert redact("no crew \udcff, password=hunter2secret") == f"no crew ?, password={MASK}"


@pytest.mark.parametrize(
    "line",
    [
        "SyntaxError: Unexpected token '}' in JSON at position 12",
        "error: expected identifier or '(' before ':' token",
        "Get https://registry.example.org/v2/: net/http: TLS handshake timeout",
        "2026-10-06T12:00:00Z fatal: could not read Username for 'https://git.example.org'",
        "Parse error: unexpected token: identifier at line 3",
        "DOCKER_PASSWORD=[secure]",
        "AUTHORIZATION: basic ***",
        "export TOKEN=$CI_JOB_TOKEN",
        "password: ${{ secrets.DEPLOY_KEY }}",
        "    token = lexer.next_token(stream)",
        "warning: password: field is deprecated",
        "Step 3/9 : RUN useradd -u 1000:1000 app",
        "expected 2 tokens = 3",
        "- name: DB_PASSWORD\n  valueFrom: {secretKeyRef: {name: db}}",
        "python -u D:\\task_17\\runtests.py",
    ],
)
def test_ordinary_lines_stay(line: str) -> None:
    assert redact(line) == line


@pytest.mark.parametrize(
    "text",
    [
        '{"password":"correct-horse"}',
        json.dumps({"log": json.dumps({"password": "correct-horse"})}),
        json.dumps({"log": json.dumps({"log": json.dumps({"token": "correct-horse"})})}),
        r"password=ab\correct-horse",
        "- name: DB_PASSWORD\n  value: correct-horse\n",
        '{"name": "API_TOKEN", "value": "correct-horse"}',
        json.dumps({"log": '{"name":"API_TOKEN","value":"correct-horse"}'}),
    ],
)
def test_neither_quotes_within_quotes_nor_a_name_beside_it_hide_a_secret(text: str) -> None:
    assert "correct-horse" not in redact(text)
    assert redact(text).replace(MASK, "x").count('"') == text.count('"')


def test_only_the_secret_part_of_a_url_goes() -> None:
    assert redact("clone https://ci:hunter22@git.example.org/r") == f"clone https://ci:{MASK}@git.example.org/r"


def test_the_shape_of_the_text_stays() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIE\nabcd\n-----END PRIVATE KEY-----"
    text = f"a password:\n2026-10-06T12:00:00 next line\n{key}\nend"
    cleaned = redact(text)
    assert "next line" in cleaned
    assert cleaned.count("\n") == text.count("\n")
    assert cleaned.splitlines()[-1] == "end"
    assert "MIIE" not in cleaned


def test_lines_of_a_private_key_go_one_by_one_and_what_follows_stays() -> None:
    key = ["-----BEGIN RSA PRIVATE KEY-----", "MIIEerror", "failed==", "-----END RSA PRIVATE KEY-----"]
    assert without_private_keys(["before", *key, "after"]) == ["before", MASK, MASK, MASK, MASK, "after"]
    endless = without_private_keys(["-----BEGIN PRIVATE KEY-----", *["x"] * 500])
    assert (endless[100], endless[-1]) == (MASK, "x")


def test_redacting_twice_changes_nothing() -> None:
    once = redact("\n".join(entry["example"] for entry in PATTERNS))
    assert redact(once) == once


def test_a_long_hostile_line_takes_no_time() -> None:
    # A backtracking engine would need minutes for these. Time of this thread: the machine may be busy.
    started = time.thread_time()
    for hostile in ("password" * 20_000, "a://" + ":" * 100_000, "eyJ" + "a" * 100_000, "-----BEGIN " * 10_000):
        redact(hostile)
    assert time.thread_time() - started < 10


def test_the_crews_own_secrets_are_masked_however_they_look() -> None:
    mask_also(["tram 7 to (the) sea+", "tram 7 to (the) sea+shore", "first line 1\n-\nlast line 99"])
    assert redact("refused: tram 7 to (the) sea+shore!") == f"refused: {MASK}!"
    assert redact("GET /?key=tram%207%20to%20%28the%29%20sea%2B&x") == f"GET /?key={MASK}&x"
    assert redact("first line 1 - last line 99") == f"{MASK} - {MASK}"
    assert redact(redact("tram 7 to (the) sea+")) == MASK
    forget_own()
    assert redact("tram 7 to (the) sea+") == "tram 7 to (the) sea+"


def test_a_configured_password_that_is_a_word_does_not_hide_the_word() -> None:
    mask_also(["postgres", "short-1", ""])
    assert redact("postgres is down, short-1") == "postgres is down, short-1"
