"""Expressions are told from prose and read by their metrics."""

import pytest

from opscrew.memory.promql import is_promql, weighted_metrics
from opscrew.memory.word_index import WordIndex

LIBRARY = WordIndex(
    [
        ("Quota is nearly used", "A resource quota of the namespace is nearly used up. Each resource has its quota."),
        ("Target is down", "A scrape target does not answer: it is down. The api server is one such target."),
        ("Pods wait", "A container of a pod waits for its image; resource limits and quota do not matter."),
        ("Api server slow", "The api server answers slowly to requests of resource lists."),
    ]
)


@pytest.mark.parametrize(
    "text",
    [
        "up == 0",
        'up{job="node"} == 0',
        "vector(1)",
        "sum by (job) (rate(http_requests_total[5m])) > 3",
        'absent(up{job="apiserver"})',
        "# why the window is this long\nincrease(restarts_total[10m]) > 0",
        "node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.1",
    ],
)
def test_an_expression_is_recognised(text: str) -> None:
    assert is_promql(text)


@pytest.mark.parametrize(
    "text",
    [
        "the node is not ready",
        "why is up == 0 for the shop?",
        "pods restart after the deployment",
        "memory",
        "",
        "What does rate(http_requests_total[5m]) mean and why is it high?",
    ],
)
def test_prose_is_not_even_when_it_mentions_one(text: str) -> None:
    assert not is_promql(text)


def test_functions_groupings_and_routine_labels_say_nothing() -> None:
    query = weighted_metrics('sum by (cluster, pod) (rate(container_restarts{job="kubelet",pod="x"}[5m])) > 0', LIBRARY)
    assert {"contain", "restart"} & {word[:7] for word in query}
    assert {"sum", "rate", "cluster", "kubelet", "x"}.isdisjoint(query)


def test_a_compound_is_split_where_the_library_knows_both_halves() -> None:
    query = weighted_metrics("kube_resourcequota > 0.9", LIBRARY)
    assert {"resourc", "quota"} <= set(query)


def test_down_and_the_job_are_the_subject_of_an_availability_rule() -> None:
    query = weighted_metrics('absent(up{job="apiserver"})', LIBRARY)
    assert {"down", "target", "api", "server"} <= set(query)


def test_repeating_a_metric_does_not_make_it_heavier() -> None:
    once = weighted_metrics("disk_errors > 0", LIBRARY)
    thrice = weighted_metrics("disk_errors > 0 or disk_errors < 9 and disk_errors == 3", LIBRARY)
    assert once == thrice
