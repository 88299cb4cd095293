"""What a CI system prints around a script is known by its wording, in every position, and hides nothing but itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from opscrew.ci.explain.frame import Role, frame
from opscrew.ci.explain.log_lines import clean

REPORTED = yaml.safe_load((Path(__file__).parents[1] / "data" / "frames_reported.yaml").read_text(encoding="utf-8"))


def roles(log: str) -> str:
    """A letter for each line: f frame, e echo, o output, a blank for an empty line of the output."""
    texts = log.strip("\n").split("\n")
    letters = {Role.FRAME: "f", Role.ECHO: "e", Role.OUTPUT: "o"}
    found = frame().apply(texts).roles
    return "".join(letters[role] if text.strip() else " " for text, role in zip(texts, found, strict=True))


def output(log: str) -> list[str]:
    """The lines between the frame's two ends."""
    texts = log.strip("\n").split("\n")
    found = frame().apply(texts)
    return texts[found.begin : found.end]


@pytest.mark.parametrize(
    "line", [line for kind in frame().words.anywhere for line in kind.examples], ids=lambda line: line[:40]
)
def test_every_example_is_a_frame_line_in_the_middle_of_a_script_too(line: str) -> None:
    assert roles(f"compiling\n{line}\ncompiling")[1] == "f"


def test_a_run_of_2023_begins_at_once_and_ends_with_its_images() -> None:
    log = """
+ umask 000

+ GIT_LFS_SKIP_SMUDGE=1 retry 6 git clone --branch="fix/timeout" --depth 50 https://a@b/$R.git $BUILD_DIR
Cloning into '/opt/atlassian/pipelines/agent/build'...

+ git reset --hard 4f1d2c3b5a6978e0d1c2b3a4f5e6d7c8b9a0f1e2
HEAD is now at 4f1d2c3 fix failing test and timeout in cart

+ chmod 777 $BUILD_DIR

Default variables:
    BITBUCKET_BRANCH
    BITBUCKET_COMMIT

Images used:
    build : docker.io/library/node@sha256:5f1c2a7b6e0d4c3f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f

+ npm ci
npm ERR! code ECONNRESET
"""
    assert output(log) == ["npm ERR! code ECONNRESET"]
    assert roles(log).replace(" ", "") == "f" * 11 + "eo"


def test_images_may_be_told_first_and_a_log_may_be_pasted_with_headings() -> None:
    log = """
Build setup
Images used:
    build : docker.io/library/node:18
+ umask 000
Cache "node": Downloading
+ npm ci
npm ERR! code ECONNRESET

Build teardown
Searching for test report files in directories named [test-results] down to a depth of 4
"""
    assert output(log) == ["npm ERR! code ECONNRESET"]


def test_the_commands_of_a_step_without_output_belong_to_nobody() -> None:
    assert output("+ umask 000\n+ export CI=1\n+ make\nmain.c:3: error: x") == ["main.c:3: error: x"]
    assert output("+ umask 000\n+ make") == []


def test_a_pipe_is_a_command_of_many_lines_and_the_fetching_of_its_image() -> None:
    log = r"""
+ docker container run \
   --workdir=$(pwd) \
   --env=A="connection reset" \
   acme/scan:1.0
Unable to find image 'acme/scan:1.0' locally
1.0: Pulling from acme/scan
0bc8ff246cb8: Pull complete
Status: Downloaded newer image for acme/scan:1.0
INFO: scanning
"""
    assert roles(log) == "eeee" + "ffff" + "o"


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        # The real error stands below what looks like the end of a run.
        ("Build teardown\nfatal: disk quota exceeded", "fo"),
        ("Post job cleanup.\nfatal: disk quota exceeded\nCleaning up orphan processes", "fof"),
        ('Cache "node": Saved\nfatal: disk quota exceeded', "fo"),
        # A clone within the script, and lists and blocks that never end.
        ("+ git clone x\nCloning into 'x'...\nfatal: disk quota exceeded", "eoo"),
        ("Images used:\nfatal: disk quota exceeded", "fo"),
        ("Images used:\n    build : node:18\nfatal: disk quota exceeded", "ffo"),
        ("##[group]Operating System\nfatal: disk quota exceeded", "oo"),
        ("##[group]Operating System\nfatal: disk quota exceeded\n##[endgroup]", "ooo"),
        ("+ make\n##[group]Operating System\nfatal: disk quota exceeded\n##[endgroup]", "eooo"),
        ("compiling\n##[group]Operating System\ncompiling\n##[endgroup]", "oooo"),
        ("##[group]Run tests\nfatal: disk quota exceeded\n##[endgroup]", "eoo"),
        ("##[group]Run tests\nfatal: disk quota exceeded", "eo"),
        ("travis_fold:start:worker_info\nfatal: disk quota exceeded", "fo"),
    ],
)
def test_a_program_that_prints_a_frame_line_hides_nothing_else(log: str, shown: str) -> None:
    assert roles(log) == shown


def test_common_words_count_at_the_end_alone_and_below_a_line_of_the_frame() -> None:
    assert roles("uploading\nUpload failed") == "oo"
    assert roles("uploading\nUpload failed\nCache 'docker': Preparing\nUpload failed") == "ooff"
    assert roles("Cache 'docker': Preparing\nUpload failed\ndone") == "foo"


def test_a_failed_clone_is_no_frame_and_what_follows_it_is() -> None:
    log = """
+ umask 000
Cloning into '/opt/atlassian/pipelines/agent/build'...
fatal: unable to access 'https://bitbucket.org/acme/shop.git/': The requested URL returned error: 500
Cloning into '/opt/atlassian/pipelines/agent/build'...
HEAD is now at 4f1d2c3 fix failing test
+ make
"""
    assert roles(log) == "ffoffe"


@pytest.mark.parametrize(
    "subject", ["Build teardown", "+ kubectl apply -f k8s/", "fix: error in a\\", "Images used:", ""]
)
def test_a_subject_is_free_text(subject: str) -> None:
    log = f"+ git reset --hard 4f1d2c3b\nHEAD is now at 4f1d2c3 {subject}".rstrip() + "\n+ make\nmain.c:3: error: x"
    assert output(log) == ["main.c:3: error: x"]


def test_other_systems() -> None:
    github = """
Current runner version: '2.317.0'
##[group]Operating System
Ubuntu
##[endgroup]
Prepare workflow directory
##[group]Run actions/checkout@v4
with:
  repository: acme/shop
##[endgroup]
Syncing repository: acme/shop
[command]/usr/bin/git fetch --depth=1 origin
HEAD is now at 4f1d2c3 Merge 9a8b7c6 into 1a2b3c4
##[group]Run dotnet restore
dotnet restore
shell: /usr/bin/bash -e {0}
##[endgroup]
error NU1301: Unable to load the service index
##[error]Process completed with exit code 1.
Post job cleanup.
[command]/usr/bin/git version
git version 2.45.2
Cleaning up orphan processes
"""
    assert output(github) == [
        "error NU1301: Unable to load the service index",
        "##[error]Process completed with exit code 1.",
    ]
    gitlab = """
Running with gitlab-runner 16.5.0 (853330f9)
Preparing the "docker" executor
Getting source from Git repository
Checking out 4f1d2c3b as detached HEAD (ref is fix-timeout)...
Executing "step_script" stage of the job script
$ npm ci
npm ERR! code ECONNRESET
Uploading artifacts for failed job
Uploading artifacts...
WARNING: reports/: no matching files. Ensure that the artifact path is relative to the working directory
ERROR: No files to upload
Cleaning up project directory and file based variables
"""
    assert output(gitlab) == ["npm ERR! code ECONNRESET"]
    jenkins = """
Started by user Ada Example
[Pipeline] Start of Pipeline
Obtained Jenkinsfile from git https://git.example/shop.git
 > git checkout -f 4f1d2c3b # timeout=10
Commit message: "retry on connection reset"
[Pipeline] sh
+ make
main.c:3: error: x
[Pipeline] // node
[Pipeline] End of Pipeline
Finished: FAILURE
"""
    assert output(jenkins) == ["main.c:3: error: x"]
    azure = """
##[section]Starting: Build
==============================================================================
Task         : Command line
Description  : Run a command line script using Bash on Linux
==============================================================================
Generating script.
========================== Starting Command Output ===========================
/usr/bin/bash --noprofile --norc /home/vsts/work/_temp/5f1c.sh
main.c:3: error: x
##[section]Finishing: Build
"""
    assert roles(azure)[-2:] == "of"
    assert roles(azure)[2:4] == "ff"
    travis = """
travis_fold:start:worker_info
Worker information
hostname: 4f1d2c3
travis_fold:end:worker_info
$ make
main.c:3: error: x
The command "make" exited with 2.
travis_time:end:0f:start=1,finish=2,duration=1
Done. Your build exited with 1.
"""
    assert output(travis) == ["main.c:3: error: x", 'The command "make" exited with 2.']


@pytest.mark.parametrize("report", REPORTED, ids=lambda report: report["about"][:50])
def test_logs_as_people_reported_them(report: dict[str, Any]) -> None:
    """With and without the times that the systems' downloads carry."""
    plain = report["log"]
    timed = "".join(
        f"2026-11-03T09:00:{number % 60:02}.1234567Z {line}\n" for number, line in enumerate(plain.split("\n"))
    )
    for log in (plain, timed):
        assert output("\n".join(clean(log.encode().split(b"\n")))) == report["output"]


def test_an_entry_fits_one_line_and_never_two_that_make_it_up_together() -> None:
    assert roles('compiling\nCache "node\n": Downloaded\ncompiling') == "oooo"
