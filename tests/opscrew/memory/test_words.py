"""Names fall apart the way people write them."""

import pytest

from opscrew.memory.words import listed, one_name_each, split_name, stem, words


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("KubePodNotReady", ["kube", "pod", "not", "ready"]),
        ("kube_pod_not_ready", ["kube", "pod", "not", "ready"]),
        ("HTTPRequestErrors", ["http", "request", "errors"]),
        ("etcdGRPCSlow", ["etcd", "grpc", "slow"]),
        ("worker7", ["worker", "7"]),
        ("__", []),
    ],
)
def test_a_name_is_split_at_case_underscore_and_digits(name: str, parts: list[str]) -> None:
    assert split_name(name) == parts


def test_prose_and_a_name_share_the_joined_word() -> None:
    assert "notready" in words("the node is not ready")
    assert "notready" in words("KubeNodeNotReady")


@pytest.mark.parametrize("form", ["fill", "fills", "filled", "filling"])
def test_forms_of_one_word_become_one(form: str) -> None:
    assert stem(form) == "fill"


def test_short_words_and_double_letters_are_left_alone() -> None:
    assert stem("dns") == "dns"
    assert stem("stopped") == "stop"
    assert stem("passed") == "pass"
    assert stem("policies") == "policy"


def test_words_that_say_nothing_are_dropped_and_directions_kept() -> None:
    found = words("the disk of a node is over 90 and not up")
    assert {"the", "of", "a", "is"}.isdisjoint(found)
    assert {"over", "not", "up", "disk"} <= set(found)


def test_no_word_stands_in_two_lists_that_contradict_each_other() -> None:
    assert not listed("metric_endings") & listed("stop")


def test_odd_text_gives_no_words_and_no_error() -> None:
    assert words("") == []
    assert words("… — \x00 ☃") == []


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("the PVC is full", "persistent volume claim"),
        ("OOMKilled again", "out of memory"),
        ("no space left on device", "disk is full"),
        ("many 5xx", "server errors"),
        ("the target has disappeared", "target down"),
        ("at least one instance", "any instance"),
    ],
)
def test_several_names_of_one_thing_share_words(said: str, written: str) -> None:
    plain = {"the", "is", "has"}
    assert (set(words(said)) & set(words(written))) - plain


def test_a_synonym_is_a_whole_word() -> None:
    assert one_name_each("ns, nsx and my-ns") == "namespace, nsx and my-ns"
    assert one_name_each("K8S") == "kubernetes"
