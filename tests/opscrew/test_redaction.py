"""Secrets leave no text; ordinary lines stay as they are."""

import json
import time
from pathlib import Path

import pytest
import yaml

from bench.secrets_corpus import harmless, is_left, secrets
from opscrew.redaction import MASK, PATTERNS_FILE, forget_own, mask_also, redact, without_private_keys

DATA = Path(__file__).with_name("data") / "redaction"
"""Made by hand, after public logs and documentation: one secret or one harmless line each."""
MADE_UP = ("Zx9-kPq2wLm", "Tr0ub4dor", "c3VwZXItc2VjcmV0LXZhbHVl", "9f86d081884c7d659a2feaa0c55ad015")
CONTENT = yaml.safe_load(PATTERNS_FILE.read_text(encoding="utf-8"))
PATTERNS = CONTENT["patterns"]
EXAMPLES = [example for entry in PATTERNS for example in entry["examples"]]


@pytest.mark.parametrize("entry", PATTERNS, ids=lambda entry: entry["name"])
def test_every_pattern_takes_its_examples_out(entry: dict[str, list[str]]) -> None:
    assert [example for example in entry["examples"] if MASK not in redact(example)] == []


@pytest.mark.parametrize("entry", CONTENT["placeholders"], ids=lambda entry: entry["what"])
def test_what_stands_in_place_of_a_secret_stays(entry: dict[str, list[str]]) -> None:
    assert [redact(example) for example in entry["examples"]] == entry["examples"]


@pytest.mark.parametrize("seed", [11, 12])
def test_made_up_secrets_of_every_kind_go_and_harmless_strings_stay(seed: int) -> None:
    """A small part of what `python -m bench redaction` measures."""
    samples = list(secrets(seed, of_each=3))
    assert [sample for sample in samples if is_left(sample, redact(sample.text))] == []
    strings = list(harmless(seed, 200))
    assert [redact(text) for text in strings] == strings


def _lines_of(name: str) -> list[str]:
    return (DATA / name).read_text(encoding="utf-8").replace("\\e", "\x1b").splitlines()


def test_a_secret_goes_in_the_ways_that_people_and_programs_write_it() -> None:
    lines = _lines_of("secrets.txt")
    assert [line for line in lines if any(secret in redact(line) for secret in MADE_UP)] == []


def test_secrets_that_other_programs_were_reported_to_show_go() -> None:
    """A secret and the line that holds it, after public reports; names and hosts are others."""
    rows = [line.split("\t", 1) for line in _lines_of("reported.tsv")]
    assert [line for secret, line in rows if secret in redact(line)] == []


def test_what_only_talks_of_secrets_stays() -> None:
    lines = _lines_of("harmless.txt")
    assert [redact(line) for line in lines] == lines


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
    assert [endless[at] for at in (0, 100, 150, 200)] == [MASK] * 4
    assert (endless[201], endless[-1]) == ("x", "x")


def test_a_key_whose_beginning_was_cut_off_goes_as_far_up_as_it_reaches() -> None:
    body = ["MIIE" + "a1B2" * 15] * 3
    lines = [
        "2026-11-30 | step 4",
        *(f"2026-11-30 | {line}" for line in body),
        "2026-11-30 | ab==",
        "x -----END PRIVATE KEY-----",
    ]
    assert without_private_keys([*lines, "after"]) == ["2026-11-30 | step 4", *[MASK] * 5, "after"]
    assert without_private_keys(["an ordinary line", "-----END PRIVATE KEY-----"]) == ["an ordinary line", MASK]


@pytest.mark.parametrize(
    "quiet", ["data:\n  a: b\nkind: ConfigMap", "kind: Secret\nmetadata:\n  name: shop\ntype: Opaque"]
)
def test_of_a_manifest_only_the_data_of_a_secret_goes(quiet: str) -> None:
    assert redact(quiet) == quiet
    manifest = "kind: Secret\nmetadata:\n  name: shop\ndata:\n  a.b: MTIz\n  c: |\n    x: 1\ntype: Opaque"
    cleaned = f"kind: Secret\nmetadata:\n  name: shop\ndata:\n  a.b: {MASK}\n  c: {MASK}\n    x: {MASK}\ntype: Opaque"
    assert redact(manifest) == cleaned
    as_json = '{"kind":"Secret","data":{"a":"MTIz","b":"NDU2"},"type":"Opaque"}'
    assert json.loads(redact(as_json)) == {"kind": "Secret", "data": {"a": MASK, "b": MASK}, "type": "Opaque"}


def test_redacting_twice_changes_nothing() -> None:
    once = redact("\n".join(EXAMPLES))
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
    assert redact("data: dHJhbSA3IHRvICh0aGUpIHNlYStzaG9yZQ==") == f"data: {MASK}=="
    assert redact("first line 1 - last line 99") == f"{MASK} - {MASK}"
    assert redact(redact("tram 7 to (the) sea+")) == MASK
    mask_also(["harbour/lane 9+pier"])
    assert redact("GET /harbour/lane%209%2Bpier") == f"GET /{MASK}", "a path keeps its slashes"
    assert redact("GET /?key=harbour%2Flane%209%2Bpier") == f"GET /?key={MASK}", "a parameter does not"
    forget_own()
    assert redact("tram 7 to (the) sea+") == "tram 7 to (the) sea+"


def test_a_configured_password_that_is_a_word_does_not_hide_the_word() -> None:
    mask_also(["postgres", "short-1", ""])
    assert redact("postgres is down, short-1") == "postgres is down, short-1"
