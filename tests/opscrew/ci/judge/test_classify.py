"""The order in which evidence counts: what denies a re-run, what allows one, and what is left alone."""

from __future__ import annotations

import io
import random
from time import thread_time

import pytest

from demo.bitbucket.logs import build_log, languages
from opscrew.ci.explain.lines import ExplainedLine, Explanation, explain
from opscrew.ci.judge.classify import (
    DEPLOYMENT_STARTED,
    JUDGED_BELOW_BEST,
    MOST_EVIDENCE,
    Classification,
    Verdict,
    classify,
)
from opscrew.ci.judge.deployments import Deployment
from opscrew.ci.judge.signatures.matching import NEAR_LINES

BLIP = "npm ERR! request to https://registry.acme.example/cart failed, reason: connect ETIMEDOUT"


def judge(*lines: str, error_message: str = "") -> Classification:
    return classify(explain(io.BytesIO("\n".join(lines).encode())), error_message=error_message)


def test_a_failed_download_is_transient_and_shows_the_line() -> None:
    judged = judge("+ npm ci", BLIP)
    assert judged.verdict is Verdict.TRANSIENT
    assert judged.signature == "npm-network"
    assert judged.lines[0] == ExplainedLine(2, BLIP, judged.lines[0].score)
    assert 0.5 < judged.confidence < 1


def test_nothing_known_is_unknown_and_shows_the_best_lines() -> None:
    judged = judge("+ ./frobnicate", "frobnication went sideways")
    assert (judged.verdict, judged.signature, judged.confidence) == (Verdict.UNKNOWN, "", 0.0)
    assert judged.lines


def test_an_empty_log_is_unknown() -> None:
    assert judge("").verdict is Verdict.UNKNOWN
    assert classify(Explanation((), 0)).lines == ()


def test_a_failed_test_denies_whatever_the_network_said() -> None:
    assert judge(BLIP, "--- FAIL: TestCart (0.01s)").verdict is Verdict.GENUINE
    assert judge("--- FAIL: TestCart (0.01s)", BLIP).verdict is Verdict.GENUINE


def test_trouble_with_this_machine_is_the_builds_own() -> None:
    for address in ("localhost:5432", "127.0.0.1:8080", "[::1]:3000", "0.0.0.0:80"):
        judged = judge(f"dial tcp {address}: connect: connection refused")
        assert judged.verdict is not Verdict.TRANSIENT, address
    assert judge("curl: (7) Failed to connect to localhost port 8080: Connection refused").verdict is Verdict.UNKNOWN


def test_a_name_server_on_this_machine_was_asked_about_another() -> None:
    assert judge("dial tcp: lookup hub.acme.example on 127.0.0.53:53: server misbehaving").verdict is Verdict.TRANSIENT


def test_what_a_failed_download_leaves_behind_does_not_deny() -> None:
    index = "ERROR: https://dl.acme.example/alpine/v3.20/main: temporary error (try again later)"
    missing = "ERROR: unable to select packages: curl (no such package)"
    assert judge(index, missing).verdict is Verdict.TRANSIENT
    assert judge(missing).verdict is Verdict.GENUINE


def test_a_missing_thing_far_before_the_blip_denies() -> None:
    between = tuple(f"step {number} done" for number in range(40))
    assert judge("./build.sh: line 3: helm: command not found", *between, BLIP).verdict is Verdict.GENUINE


def test_what_stays_broken_outranks_a_complaint_of_the_very_same_line() -> None:
    line = "dktest.go:53: Error parsing image: failed to register layer: write /usr/share/x: no space left on device"
    judged = judge(line)
    assert (judged.verdict, judged.signature) == (Verdict.INFRA_PERSISTENT, "disk-full")


def test_a_blip_that_is_scored_nearly_as_well_as_the_best_line_may_speak() -> None:
    best = ExplainedLine(10, "frobnication went sideways", 5.0)
    near, far = ExplainedLine(80, BLIP, 5.0 - JUDGED_BELOW_BEST), ExplainedLine(80, BLIP, 4.9 - JUDGED_BELOW_BEST)
    assert classify(Explanation((best,), 90, nearly=(near,))).verdict is Verdict.TRANSIENT
    assert classify(Explanation((best,), 90, nearly=(far,))).verdict is Verdict.UNKNOWN


def test_after_a_deployment_a_person_reads_where_it_began_and_what_to_look_at() -> None:
    deployed = Deployment(3, "+ kubectl apply -f shop.yaml")
    blips = tuple(ExplainedLine(10 + number, f"{BLIP} ({number})", 5.0) for number in range(2 * MOST_EVIDENCE))
    judged = classify(Explanation(blips, 90, deployment=deployed))
    assert (judged.verdict, judged.signature) == (Verdict.UNKNOWN, DEPLOYMENT_STARTED)
    assert (judged.lines[0].number, len(judged.lines)) == (3, MOST_EVIDENCE)
    assert "what the deployment left behind" in judged.next_step


HEADING = "ERROR: unable to select packages: curl (no such package)"


def judge_apart(first: str, second: str, between: int) -> Classification:
    """Two lines of a log whose numbers differ by ``between``, as the explanation would hand them over."""
    lines = (ExplainedLine(100, first, 5.0), ExplainedLine(100 + between, second, 5.0))
    return classify(Explanation(lines, 200))


def test_a_consequence_belongs_to_what_stands_within_a_dozen_lines_below_it() -> None:
    """A tool prints its heading a little before the cause; what comes further below is another fault."""
    broken = "ERROR: https://dl.acme.example/alpine/v3.20/main: temporary error (try again later)"
    for between in (1, NEAR_LINES - 1, NEAR_LINES):
        assert judge_apart(HEADING, broken, between).verdict is Verdict.TRANSIENT, between
    assert judge_apart(HEADING, broken, NEAR_LINES + 1).verdict is Verdict.GENUINE
    assert NEAR_LINES == 12


def test_what_stays_broken_ended_the_build_only_within_a_dozen_lines_of_the_end() -> None:
    failed, limit = "--- FAIL: TestCart (0.01s)", "Container 'Build' exceeded memory limit."

    def judged(behind: int) -> Verdict:
        lines = (ExplainedLine(50, failed, 5.0), ExplainedLine(100, limit, 5.0))
        rest = (ExplainedLine(100 + behind, "step done", 4.0),)
        return classify(Explanation(lines + rest, 200)).verdict

    assert judged(NEAR_LINES - 1) is Verdict.INFRA_PERSISTENT
    assert judged(NEAR_LINES) is Verdict.GENUINE


def test_what_fails_after_the_runner_is_lost_does_not_count() -> None:
    lost = "The self-hosted runner lost communication with the server."
    canceled = "The operation was canceled."
    assert judge(lost, canceled).verdict is Verdict.TRANSIENT
    assert judge("--- FAIL: TestCart (0.01s)", lost).verdict is Verdict.GENUINE


@pytest.mark.parametrize(
    "missing",
    [
        "ModuleNotFoundError: No module named 'flask_cors'",
        "FileNotFoundError: [Errno 2] No such file or directory: 'prices.csv'",
    ],
)
def test_names_of_errors_are_not_taken_for_codes_of_the_network(missing: str) -> None:
    """The letters of ENOTFOUND stand in many names of errors that a re-run repeats."""
    assert judge(f"Failed to download https://models.acme.example/cart: {missing}").verdict is Verdict.GENUINE
    assert judge(missing).verdict is Verdict.GENUINE


def test_a_person_or_a_deployment_keeps_hands_off() -> None:
    assert judge(BLIP, "Build was aborted by Ada").verdict is Verdict.UNKNOWN
    assert judge("+ kubectl apply -f k8s/", "Unable to connect to the server: EOF").verdict is Verdict.UNKNOWN


def test_full_disks_and_memory_limits_come_back() -> None:
    assert judge(BLIP, "write /tmp/layer: no space left on device").verdict is Verdict.INFRA_PERSISTENT


@pytest.mark.parametrize(
    ("message", "verdict"),
    [
        ("Container 'Build' exceeded memory limit.", Verdict.INFRA_PERSISTENT),
        ("There was an unexpected system error that may have left your step half-completed.", Verdict.TRANSIENT),
        ("Exceeded build time limit of 120 minutes.", Verdict.UNKNOWN),
    ],
)
def test_the_ci_systems_own_message_counts(message: str, verdict: Verdict) -> None:
    judged = judge("compiling cart", error_message=message)
    assert judged.verdict is verdict
    assert judged.lines[0] == ExplainedLine(0, message, judged.lines[0].score)


def test_message_and_log_are_judged_together() -> None:
    lost = "There was an unexpected system error that may have left your step half-completed."
    assert judge("+ helm upgrade shop ./chart", error_message=lost).verdict is not Verdict.GENUINE
    memory = "Container 'Build' exceeded memory limit."
    assert judge("--- FAIL: TestCart (0.01s)", error_message=memory).verdict is Verdict.INFRA_PERSISTENT


@pytest.mark.parametrize(
    "count",
    [
        "100% tests passed, 0 tests failed out of 168",
        "Merged test suites, total number tests is 0, with 0 failures and 0 errors.",
        '<testsuite name="cart" tests="4" errors="0" failures="0">',
        "Total: 4, Errors: 0, Failed: 0, Skipped: 0",
        "# fail 0",
        "0 problems (0 errors, 0 warnings)",
        "no vulnerabilities found",
    ],
)
def test_a_count_of_zero_is_no_failure(count: str) -> None:
    assert judge(count, BLIP).verdict is Verdict.TRANSIENT
    assert judge(BLIP, count).verdict is Verdict.TRANSIENT
    assert judge("+ make", count).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "mark", ["✖ Deploy step", "❌ Failed", "✗ it did not work", "BUILD FAILED", "** BUILD FAILED **"]
)
def test_a_bare_mark_or_a_closing_banner_is_no_cause(mark: str) -> None:
    assert judge("+ ./check.sh", mark).verdict is Verdict.UNKNOWN
    assert judge(BLIP, mark).verdict is Verdict.TRANSIENT


def test_the_later_cause_of_one_line_is_its_cause() -> None:
    goal = "[ERROR] Failed a:maven-surefire-plugin:2.21.0:test failed: Could not transfer artifact a:b:jar:1"
    assert judge(f"{goal} from/to central (https://maven.example): Connection reset").verdict is Verdict.TRANSIENT
    assert judge(f"{goal}: There are test failures").verdict is Verdict.GENUINE
    chart = "Error: chart postgresql not found in https://charts.example: cannot be reached"
    assert judge(f"{chart}: stream error: stream ID 1; INTERNAL_ERROR").verdict is Verdict.TRANSIENT
    assert judge(chart).verdict is not Verdict.TRANSIENT


@pytest.mark.parametrize(
    "line",
    [
        'client.adb:31:14: "ConnectionTimeout" is undefined',
        'net.pas(328,8) Error: identifier idents no member "ConnectionTimeout"',
        "Error: field ConnectionTimeout is not part of the schema",
        "Net.cs(12,3): error CS1061: no definition for 'ConnectionTimeout'",
        "ImportError: cannot import name 'ConnectTimeoutError' from 'acme'",
    ],
)
def test_a_name_in_code_is_no_broken_connection(line: str) -> None:
    assert judge(f"Failed to download plan\n{line}").verdict is not Verdict.TRANSIENT


def test_a_compiler_that_only_passes_a_failed_download_on_does_not_deny() -> None:
    line = 'cart.go:22:2: k8s.io/api@v0.23.4: Get "https://proxy.acme.example/api.zip": read: connection reset by peer'
    assert judge(line).verdict is Verdict.TRANSIENT


def test_what_a_command_complained_of_that_succeeded_says_nothing() -> None:
    assert judge("+ npm ci", BLIP, "added 3 packages", "+ ./check.sh", "the ledger is off").verdict is Verdict.UNKNOWN
    assert judge("+ npm ci", BLIP, "+ echo").verdict is Verdict.TRANSIENT


def test_what_an_after_script_looks_at_hides_nothing() -> None:
    logs = ("+ docker logs app", "starting the shop", "+ df -h", "overlay 40G 38G 2G 95% /")
    assert judge("+ npm ci", BLIP, *logs).verdict is Verdict.TRANSIENT


def test_what_a_tool_tried_again_and_then_got_says_nothing() -> None:
    tried = "npm http fetch GET 503 https://registry.npmjs.org/left-pad attempt 1 failed with 503"
    assert judge("+ ./build.sh", tried, "added 812 packages in 31s", "the ledger is off").verdict is Verdict.UNKNOWN
    assert judge("+ ./build.sh", BLIP, "added 812 packages in 31s").verdict is Verdict.TRANSIENT


def test_a_panic_over_a_failed_download_is_its_consequence() -> None:
    panic = "thread 'main' panicked at src/main.rs:13:65:"
    assert judge(panic, f"called `Result::unwrap()` on an `Err` value: {BLIP}").verdict is Verdict.TRANSIENT
    assert judge(panic, "index out of bounds: the len is 3 but the index is 3").verdict is Verdict.GENUINE


def test_expired_credentials_are_renewed_by_a_person_and_not_by_the_change() -> None:
    for line in (
        "denied: Your Authorization Token has expired.",
        "An error occurred (ExpiredToken): the token has expired",
    ):
        assert judge("+ docker pull x", line).verdict is Verdict.INFRA_PERSISTENT


def test_a_host_that_is_not_found_passes_only_for_public_services() -> None:
    def npm(host: str) -> Verdict:
        request = f"npm ERR! network request to https://{host}/cart failed, reason: getaddrinfo ENOTFOUND {host}"
        return judge("+ npm ci", "npm ERR! code ENOTFOUND", "npm ERR! errno ENOTFOUND", request).verdict

    assert npm("registry.npmjs.org") is Verdict.TRANSIENT
    assert npm("nexus.acme-corp.net") is Verdict.UNKNOWN


def test_what_bitbucket_says_of_the_step_outranks_the_log() -> None:
    limit = "Exceeded build time limit of 120 minutes."
    assert judge("+ npm ci", BLIP, error_message=limit).verdict is Verdict.UNKNOWN
    assert judge("+ make", "1 failed", error_message=limit).signature == "time-limit"
    memory = "Container 'Build' exceeded memory limit."
    assert judge("+ npm ci", BLIP, error_message=memory).verdict is Verdict.INFRA_PERSISTENT


def test_a_memory_limit_at_the_end_ended_what_went_on_above_it() -> None:
    refused = "    Error: connect ECONNREFUSED 172.18.0.3:5432"
    assert judge(refused, "Container 'Build' exceeded memory limit.").verdict is Verdict.INFRA_PERSISTENT


def test_the_other_machine_of_a_blip_is_named() -> None:
    assert judge(BLIP).host == "registry.acme.example"
    assert judge("fatal: Temporary failure in name resolution").host == ""


def test_secrets_in_the_message_are_redacted_and_its_length_capped() -> None:
    judged = judge("", error_message="exceeded memory limit AKIAIOSFODNN7EXAMPLE " + "x" * 9000)
    assert "AKIAIOSFODNN7EXAMPLE" not in judged.lines[0].text
    assert len(judged.lines[0].text) <= 500


def test_evidence_is_short_and_starts_with_the_deciding_signature() -> None:
    judged = judge(*(f"npm ERR! code ECONNRESET attempt {number}" for number in range(40)))
    assert len(judged.lines) == MOST_EVIDENCE


@pytest.mark.parametrize("name", languages())
@pytest.mark.parametrize(("kind", "verdict"), [("flaky", "transient"), ("outage", "transient"), ("failing", "genuine")])
def test_whole_logs_of_every_language_of_the_sandbox(name: str, kind: str, verdict: str) -> None:
    """With the CI system's own lines around them, and dozens of harmless ones between."""
    log = build_log(name, kind, commit="3af19c0d51e2", branch="main", seed=7)
    assert classify(explain(io.BytesIO(log))).verdict.value == verdict


@pytest.mark.parametrize("name", languages())
def test_what_stays_broken_is_never_called_transient(name: str) -> None:
    log = build_log(name, "persistent", commit="3af19c0d51e2", branch="main", seed=7)
    assert classify(explain(io.BytesIO(log))).verdict is not Verdict.TRANSIENT


def test_random_bytes_are_unknown() -> None:
    assert classify(explain(io.BytesIO(random.Random(3).randbytes(200_000)))).verdict is not Verdict.TRANSIENT


def test_judging_is_fast() -> None:
    """A budget of 50 ms holds for explaining and judging 1 MB; judging may take a fraction, on a busy machine too."""
    texts = [f"{BLIP} {number}" if number % 2 else f"compiling part {number} of cart" * 8 for number in range(60)]
    explanation = Explanation(tuple(ExplainedLine(i, text, 1.0) for i, text in enumerate(texts, 1)), 60)
    classify(explanation)
    started = thread_time()
    for _ in range(5):
        classify(explanation)
    assert (thread_time() - started) / 5 < 0.05
