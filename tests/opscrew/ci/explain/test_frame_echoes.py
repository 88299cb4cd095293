"""An echo reaches as far as its own form says, and added lines of a diff are none."""

from __future__ import annotations

import pytest

from opscrew.ci.explain.frame import Role, frame


def echoes(log: str) -> str:
    roles = frame().apply(["compiling", *log.split("\n"), "compiling"]).roles[1:-1]
    return "".join("e" if role is Role.ECHO else "-" for role in roles)


@pytest.mark.parametrize(
    ("log", "taken"),
    [
        ("+ yarn install --frozen-lockfile", "e"),
        ('$ echo "lint failed"', "e"),
        ("[command]/usr/bin/git version", "e"),
        ("##[command]/usr/bin/bash build.sh", "e"),
        (
            "##[group]Run npm ci\nnpm ci\nnpm test\nshell: /usr/bin/bash -e {0}\nenv:\n  CI: 1\n##[endgroup]\nx",
            "eeeeeee-",
        ),
        ("+ docker run \\\n  --rm \\\n  acme/app\nerror: x", "eee-"),
        ("+ if [ -f a ]; then\n  make\nfi\nerror: x", "eee-"),
        ("+ for f in *; do\n  lint $f\ndone\nerror: x", "eee-"),
        ("+ cat > a <<EOF\nlint failed\nEOF\nerror: x", "eee-"),
        ('+ curl -d "{\n  lint failed\n}" https://a.example\nerror: x', "eee-"),
        ("+ sh -c 'make\nlint failed'\nerror: x", "ee-"),
        ("+ echo don't stop\nerror: can't open", "e-"),
        ('+ echo "open\n+ make\nerror: "x"', "ee-"),
        ("+ echo 'a' \"b\"\nerror: 'x'", "e-"),
        # What bash prints with -x for what it calls itself, and lone marks, are output.
        ("++ make", "-"),
        (" + make", "-"),
        ("+", "-"),
        ("+  indented", "-"),
        # Diffs.
        ("- total: 3\n+ total: 4", "--"),
        ("@@ -1,2 +1,2 @@\n context\n+ total: 4\n+ tax: 1", "----"),
        ("- total: 3\n? ^\n+ total: 4", "---"),
        # A list or a rule above does not end in a diff once other words stand between.
        ("--- FAIL\nexit\n+ make", "--e"),
        ("----------\n+ make", "-e"),
        # No end: only the line itself.
        ("+ if [ -f a ]; then\nerror: x\nerror: y", "e--"),
        ("##[group]Run npm ci\nerror: x\n##[error]y\n##[endgroup]", "e---"),
        ("+ for f in *; do\n+ make\nerror: done badly", "ee-"),
    ],
)
def test_how_far_an_echo_reaches(log: str, taken: str) -> None:
    assert echoes(log) == taken


def test_a_line_that_goes_on_for_ever_is_bounded() -> None:
    assert echoes("+ docker run \\\n" + "  --env=A \\\n" * 1000 + "error: x").count("e") < 300
