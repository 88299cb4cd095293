"""The list of codes is well formed, and wrong entries are named."""

import re

import pytest

from opscrew.findings.codes import CODES_FILE, BadCodesError, codes, finding, parse_codes, title_of
from opscrew.model.finding import Severity
from opscrew.model.subject import Subject

GOOD = {"title": "t", "severity": "info", "next_step": "n"}


def test_every_code_is_valid_and_listed_once() -> None:
    listed = re.findall(r"^([A-Z][A-Z0-9_]+):", CODES_FILE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(codes())
    assert {"CI_OUTAGE", "SYSTEM_UNAVAILABLE", "ACTION_UNCERTAIN", "AUDIT_BROKEN"} <= set(codes())


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("podCrash", GOOD),
        ("POD", GOOD),
        ("POD_CRASH", GOOD | {"severity": "bad"}),
        ("POD_CRASH", GOOD | {"title": ""}),
        ("POD_CRASH", GOOD | {"title": "t" * 61}),
        ("POD_CRASH", GOOD | {"next_step": " "}),
        ("POD_CRASH", GOOD | {"colour": "red"}),
        ("POD_CRASH", {"title": "t"}),
    ],
)
def test_a_wrong_entry_is_named(name: str, entry: dict) -> None:
    with pytest.raises(BadCodesError, match=name):
        parse_codes({name: entry})


def test_a_finding_takes_wording_and_severity_from_its_code_unless_told_otherwise() -> None:
    subject = Subject(system="bitbucket", kind="pipeline", scope="acme/shop", name="#1")
    plain = finding("CI_OUTAGE", subject, "registry down")
    assert (plain.severity, plain.next_step) == (codes()["CI_OUTAGE"].severity, codes()["CI_OUTAGE"].next_step)
    told = finding("CI_OUTAGE", subject, "registry down", severity=Severity.INFO, next_step="wait")
    assert (told.severity, told.next_step) == (Severity.INFO, "wait")
    assert told.fingerprint == plain.fingerprint
    with pytest.raises(KeyError):
        finding("NO_SUCH_CODE", subject, "x")


def test_a_code_of_an_older_version_still_has_a_title() -> None:
    assert title_of("GONE_LONG_AGO") == "GONE_LONG_AGO"
