"""Deploying commands are found wherever they stand in a log, and nothing else is taken for one."""

from __future__ import annotations

import io
import re
import tracemalloc
from pathlib import Path

import pytest

from opscrew.ci.explain.lines import explain
from opscrew.ci.judge.classify import Verdict, classify
from opscrew.ci.judge.deployments import RULES_FILE, DeploymentWatch, Rules, deployment_in, deploys, rules
from opscrew.errors import UsageError
from opscrew.strict_yaml import load_strictly

COMMANDS = [(kind.what, example) for kind in rules().commands for example in kind.examples]
OTHERS = [(kind.what, example) for kind in rules().commands for example in kind.counter_examples]
BLIP = "npm ERR! code ECONNRESET\nnpm ERR! network read ECONNRESET\n"


def watched(log: bytes, block: int = 1 << 18) -> DeploymentWatch:
    watch = DeploymentWatch(io.BytesIO(log))
    while watch.read(block):
        pass
    return watch


@pytest.mark.parametrize(("what", "command"), COMMANDS)
def test_each_example_is_found_as_an_echoed_command_and_as_a_step_s_own(what: str, command: str) -> None:
    found = watched(f"Cloning\n+ {command}\nok\n".encode()).found
    assert found is not None, what
    assert found.line == 2
    assert deploys(command)


@pytest.mark.parametrize(("what", "command"), OTHERS)
def test_what_looks_like_one_is_none(what: str, command: str) -> None:
    assert watched(f"Cloning\n+ {command}\nok\n".encode()).found is None, what


@pytest.mark.parametrize("kind", rules().outputs, ids=lambda kind: kind.what)
def test_what_deploying_tools_print_shows_it_too(kind) -> None:  # type: ignore[no-untyped-def]
    for example in kind.examples:
        assert watched(f"+ ./run.sh\n{example}\nok\n".encode()).found is not None, example
    for example in kind.counter_examples:
        assert watched(f"+ ./run.sh\n{example}\nok\n".encode()).found is None, example


@pytest.mark.parametrize(
    "echo",
    [
        "+ kubectl apply -f k8s/",
        "++ kubectl apply -f k8s/",
        "\x1d+ kubectl apply -f k8s/",
        "$ kubectl apply -f k8s/",
        "\x1b[32;1m$ kubectl apply -f k8s/\x1b[0;m",
        "travis_time:start:0a1b\r\x1b[0K$ kubectl apply -f k8s/",
        "> kubectl apply -f k8s/",
        "[command]/usr/local/bin/kubectl apply -f k8s/",
        "2026-11-03T09:00:20.1256787Z ##[group]Run kubectl apply -f k8s/",
        "2026-11-03T09:00:20.1256787Z \x1b[36;1mkubectl apply -f k8s/\x1b[0m",
        "[2026-11-03T11:00:08.108Z] + kubectl apply -f k8s/",
        "C:\\agent\\work> kubectl apply -f k8s/",
        "+ cd infra && sudo -E KUBECONFIG=prod.yml kubectl apply -f k8s/",
        "+ if [ -n x ]; then kubectl apply -f k8s/; fi",
        "+ bash -ec 'cd infra; kubectl apply -f k8s/'",
        "+ docker run --rm -v $PWD:/w bitnami.example/kubectl kubectl apply -f k8s/",
        "+ docker run --rm -v $PWD:/app hashicorp/terraform:1.5 apply -auto-approve",
        "+ docker run --rm amazon/aws-cli s3 sync /d s3://acme-web",
        "+ retry 3 kubectl \\\n    --context prod \\\n    apply -f k8s/",
    ],
)
def test_every_ci_system_s_echo_is_known(echo: str) -> None:
    assert watched(f"start\n{echo}\nok\n".encode()).found is not None


@pytest.mark.parametrize(
    "line",
    [
        "Run kubectl-apply by hand to see it",
        "please call `kubectl apply -f k8s/` yourself",
        "  kubectl apply -f k8s/",
        '+ echo "kubectl apply -f k8s/"',
        "+ echo 'done; kubectl apply -f k8s/'",
        "+ grep -r 'helm upgrade' scripts",
        "+ # terraform apply",
        "+ ansible-galaxy install -r requirements.yml",
        "+ helm-docs install",
        "+    - kubectl apply -f k8s/",
        "HEAD is now at 4f1d2c3 helm upgrade the shop",
        "HEAD is now at 4f1d2c3 + helm upgrade the shop",
        "The deployment was described in docs/deploy.md",
    ],
)
def test_prose_and_harmless_commands_are_none(line: str) -> None:
    assert watched(f"start\n{line}\nok\n".encode()).found is None


@pytest.mark.parametrize("block", [1, 7, 64, 4096])
def test_a_command_over_two_blocks_is_seen_whole_and_its_line_counted(block: int) -> None:
    log = b"a line\n" * 40 + b"+ helm \\\n  --kube-context prod \\\n  upgrade shop chart/\nok\n" + b"b\n" * 40
    found = watched(log, block).found
    assert found is not None
    assert (found.line, found.text) == (41, "helm --kube-context prod upgrade shop chart/")


def test_a_mistake_in_the_data_is_named_with_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "deployments.yaml"
    broken.write_text(RULES_FILE.read_text(encoding="utf-8").replace("tool: 'kubectl|", "tool: '(kubectl|", 1), "utf-8")
    with pytest.raises(UsageError) as problem:
        load_strictly(broken, Rules)
    assert re.search(r"deployments.yaml line \d+: .*not a regular expression of RE2: \(kubectl", str(problem.value))


def test_the_last_line_needs_no_line_feed() -> None:
    assert watched(b"start\n+ terraform apply -auto-approve").found is not None


def test_memory_is_bounded_for_a_log_of_endless_lines() -> None:
    watch = DeploymentWatch()
    block = b"+ kubectl " + b"x" * (1 << 16)
    watch.write(block)
    tracemalloc.start()
    for _ in range(300):
        watch.write(block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert watch.found is None
    assert peak < 2_000_000


def test_secrets_of_a_command_are_not_handed_out() -> None:
    found = watched(b"+ helm upgrade shop chart/ --set token=ghp_0123456789abcdefghijABCDEFGHIJ012345\n").found
    assert found is not None
    assert "ghp_0123456789" not in found.text


def test_a_blip_after_a_deployment_is_not_run_again_however_far_above_it_began() -> None:
    filler = "".join(f"web{number} is patched and well\n" for number in range(30_000))
    log = f"+ helm upgrade --install shop chart/\n{filler}+ npm ci\n{BLIP}".encode()
    judged = classify(explain(io.BytesIO(log)))
    assert (judged.verdict, judged.signature) == (Verdict.UNKNOWN, "deployment-started")
    assert judged.lines[0].number == 1
    without = classify(explain(io.BytesIO(log.replace(b"helm upgrade --install", b"helm template"))))
    assert without.verdict is Verdict.TRANSIENT


def test_what_fails_again_keeps_its_name_after_a_deployment() -> None:
    log = b"+ kubectl apply -f k8s/\n+ npm ci\nnpm ERR! ERESOLVE unable to resolve dependency tree\n"
    assert classify(explain(io.BytesIO(log))).verdict is Verdict.GENUINE


def test_the_commands_of_a_step_are_asked_the_same_way() -> None:
    assert deployment_in(["npm ci", "npm test"]) == ""
    assert (
        deployment_in(["npm ci", "cd infra\nterraform apply -auto-approve"]) == "cd infra terraform apply -auto-approve"
    )
    assert deployment_in(["pipe: atlassian/aws-s3-deploy:1.1.0"]) == "pipe: atlassian/aws-s3-deploy:1.1.0"
