"""Whose alert it is: labels as people published them, names replaced."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from opscrew.alerts.alert import Alert, AlertState
from opscrew.alerts.causes import Candidate, Clue, Ownership, cause_rules
from opscrew.alerts.clusters import cluster_of
from opscrew.alerts.groups import Group
from opscrew.alerts.labels import host_of, own_labels
from opscrew.alerts.objects import differing, object_words, objects_in_short, subject_of
from opscrew.alerts.repairs import proposed_repair
from opscrew.model.subject import Subject
from opscrew.settings import KubernetesSettings

NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
KSM = {
    "job": "kube-state-metrics",
    "pod": "kps-kube-state-metrics-7f4586c4d9-wzssg",
    "service": "kps-kube-state-metrics",
    "instance": "10.4.2.1:8080",
    "endpoint": "http",
    "container": "kube-state-metrics",
}
NODE = {
    "job": "node-exporter",
    "pod": "kps-prometheus-node-exporter-w7bb7",
    "service": "kps-prometheus-node-exporter",
    "namespace": "monitoring",
    "container": "kube-rbac-proxy",
    "endpoint": "https",
}


def alert(text: str = "", **labels: str) -> Alert:
    return Alert("alertmanager", AlertState.FIRING, {"alertname": "A"} | labels, NOW, {"description": text})


@pytest.mark.parametrize(
    ("labels", "text", "words"),
    [
        (KSM | {"namespace": "shop", "hpa": "web"}, "", "HorizontalPodAutoscaler shop/web"),
        (KSM | {"namespace": "shop", "cronjob": "nightly"}, "", "CronJob shop/nightly"),
        (KSM | {"namespace": "shop", "statefulset": "db"}, "", "StatefulSet shop/db"),
        (KSM | {"namespace": "shop", "job_name": "a", "condition": "true"}, "", "Job shop/a"),
        (KSM | {"namespace": "shop", "resourcequota": "cpu"}, "", "ResourceQuota shop/cpu"),
        (KSM | {"namespace": "monitoring", "node": "n1"}, "", "Node n1"),
        (KSM | {"namespace": "monitoring", "persistentvolume": "pv1"}, "", "PersistentVolume pv1"),
        # With honor_labels the metric's own pod replaces the exporter's; the container stays the exporter's.
        (KSM | {"namespace": "shop", "pod": "web-1"}, "", "Pod shop/web-1"),
        (KSM | {"namespace": "shop", "pod": "web-1", "node": "n1"}, "Pod shop/web-1 on n1", "Pod shop/web-1"),
        (KSM | {"namespace": "shop", "pod": "web-1", "node": "n1"}, "n1 is full", "Node n1"),
        # The exporter itself is ill: its sentence names it.
        (
            KSM | {"namespace": "monitoring"},
            f"Pod monitoring/{KSM['pod']} is waiting",
            f"Pod monitoring/{KSM['pod']}",
        ),
        # A release that gives the exporter another name.
        (
            KSM | {"namespace": "shop", "pod": "acme-metrics-5d7-x", "service": "acme-metrics"},
            "",
            "namespace shop, told by pod acme-metrics-5d7-x",
        ),
        (
            {"job": "ksm", "service": "ksm", "pod": "ksm-0", "namespace": "shop", "deployment": "web"},
            "",
            "Deployment shop/web",
        ),
        (NODE | {"instance": "10.0.0.33:9100", "device": "sda", "mountpoint": "/"}, "", "Node 10.0.0.33"),
        (NODE | {"instance": "10.0.0.33:9100", "nodename": "n1"}, "", "Node n1"),
        (NODE | {"instance": "[2001:db8::7]:9100"}, "", "Node 2001:db8::7"),
        (
            {"pod": "node-exporter-4mdcv", "namespace": "kube-system"},
            "",
            "namespace kube-system, told by pod node-exporter-4mdcv",
        ),
        ({"job": "kubelet", "service": "kps-kubelet", "instance": "10.0.0.3:10250", "node": "n1"}, "", "Node n1"),
        (
            {"job": "kubelet", "namespace": "shop", "pod": "web-1", "container": "web", "node": "n1"},
            "",
            "Pod shop/web-1",
        ),
        # Scraped without honor_labels.
        (
            {
                "pod": "nvidia-dcgm-exporter-x",
                "namespace": "gpu",
                "exported_pod": "trainer-0",
                "exported_namespace": "ml",
            },
            "",
            "Pod ml/trainer-0",
        ),
        (
            {"service": "traefik", "namespace": "edge", "exported_service": "web-80", "exported_namespace": "shop"},
            "",
            "Service shop/web-80",
        ),
        ({"job": "pushgateway", "exported_job": "backup", "namespace": "monitoring"}, "", "job backup"),
        ({"pod": "cert-manager-7-x", "namespace": "cm", "exported_namespace": "shop", "name": "tls"}, "", "name tls"),
        (
            {"kind": "Kustomization", "name": "apps", "exported_namespace": "team-a", "namespace": "flux-system"},
            "",
            "Kustomization team-a/apps",
        ),
        (
            {"job": "kubernetes-kubelet", "node": "minion0", "namespace": "kube-system", "component": "kubelet"},
            "",
            "Node minion0",
        ),
        (
            {"service": "telemeter", "job": "telemeter", "namespace": "om", "openshift_io_alert_source": "platform"},
            "",
            "Service om/telemeter",
        ),
        (
            {"name": "shop", "pod": "argocd-application-controller-0", "namespace": "argocd", "job": "argocd-metrics"},
            "Application shop is OutOfSync",
            "job argocd-metrics, name shop",
        ),
        ({"pod": "rook-ceph-mgr-a-5d-x", "namespace": "rook", "ceph_daemon": "osd.3"}, "", "ceph_daemon osd.3"),
        (KSM | {"namespace": "cm", "pod": "db-exporter-1"}, "", "Pod cm/db-exporter-1"),
        # Sidecars: the pod is the database's own.
        ({"pod": "redis-0", "container": "redis-exporter", "namespace": "shop"}, "", "Pod shop/redis-0"),
        ({"pod": "postgres-exporter-5d-x", "namespace": "db", "datname": "orders"}, "", "datname orders"),
        # Collectors and rules with other names.
        ({"k8s_namespace_name": "shop", "k8s_pod_name": "web-1"}, "", "Pod shop/web-1"),
        ({"alert_name": "Scheduler is unavailable", "component": "scheduler"}, "", "component scheduler"),
        ({"job": "blackbox-icmp", "instance": "172.29.254.30"}, "", "job blackbox-icmp, instance 172.29.254.30"),
        (
            {"service": "kps-kube-state-metrics", "job": "kube-state-metrics"},
            "",
            "service kps-kube-state-metrics, job kube-state-metrics",
        ),
        ({"namespace": "shop"}, "", "namespace shop"),
        ({"app_kubernetes_io_name": "x", "upstream": "10.0.0.2", "team": "a"}, "", "upstream 10.0.0.2"),
        # A template that failed is no name.
        ({"host": "<no value>", "interface": "{{ $labels.device }}", "device": "eth0"}, "", "device eth0"),
        ({}, "", ""),
    ],
)
def test_the_object_is_named(labels: dict[str, str], text: str, words: str) -> None:
    assert object_words(alert(text, **labels)) == words


def test_a_namespace_alone_is_a_subject() -> None:
    found = subject_of(alert(namespace="shop"), "prod")
    assert found is not None
    assert found.key == "kubernetes/Namespace/prod/shop"


def test_what_differs_between_alerts_of_one_object_is_told() -> None:
    disks = [
        alert(**NODE, node="n1", mountpoint=one, severity=severity) for one, severity in (("/", "a"), ("/data", "b"))
    ]
    assert objects_in_short(disks) == "Node n1"
    assert differing(disks) == ["mountpoint /, /data"]
    pods = [alert(namespace="shop", pod=f"web-{number}") for number in range(8)]
    assert objects_in_short(pods) == "Pod shop/web-0, shop/web-1, shop/web-2, shop/web-3, shop/web-4 and 3 more"


def test_an_exporter_is_never_repaired() -> None:
    for name, kind in (("kps-kube-state-metrics", "Deployment"), ("prometheus-pihole-exporter", "Deployment")):
        target = Subject(system="kubernetes", kind=kind, scope="prod/monitoring", name=name)
        clue = Clue("change", "it was rolled out", NOW, target, facts={"to_revision": 1})
        found = Candidate(clue, 0.95, Ownership.SAME, "4 min before")
        assert proposed_repair(Group("g", "alertname=A", "A", NOW), [found], cause_rules()) is None


def test_the_cluster_is_ours_by_name_or_by_the_labels_of_its_metrics() -> None:
    prod = KubernetesSettings(name="prod", metrics_labels={"cluster": "eu-west-1-prod"})
    test = KubernetesSettings(name="test")
    assert cluster_of(alert(cluster="prod"), [prod, test]) == ("prod", "")
    assert cluster_of(alert(cluster="eu-west-1-prod"), [prod, test]) == ("prod", "")
    assert cluster_of(alert(k8s_cluster_name="test"), [prod, test]) == ("test", "")
    assert cluster_of(alert(), [test]) == ("test", "")
    assert "none of ours (prod, test)" in cluster_of(alert(cluster="other"), [prod, test])[1]
    assert "names no cluster" in cluster_of(alert(), [prod, test])[1]
    assert cluster_of(alert(), []) == ("", "")


def test_hosts_lose_their_port() -> None:
    hosts = ["a:9100", "a", "10.0.0.1:80", "https://a.example:8443", "[2001:db8::1]:9100", "2001:db8::1"]
    assert [host_of(one) for one in hosts] == ["a", "a", "10.0.0.1", "a.example", "2001:db8::1", "2001:db8::1"]


def test_own_labels_keep_what_routes() -> None:
    assert own_labels(KSM | {"deployment": "web", "namespace": "shop", "severity": "page"}) == {
        "deployment": "web",
        "namespace": "shop",
        "severity": "page",
    }
