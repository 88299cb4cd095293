"""Throttled containers from rows of a metrics store."""

from __future__ import annotations

from opscrew.cluster.workloads.throttling import ThrottledContainer, throttling_findings
from opscrew.model.finding import Severity
from tests.support.kubernetes_objects import NOW


def row(pod: str, share: float, workload: str = "Deployment/shop") -> ThrottledContainer:
    return ThrottledContainer("team", pod, "app", share, workload, limit_cores=0.5, used_cores=0.31)


def test_a_workload_is_told_by_its_worst_pod_once() -> None:
    rows = [row("shop-1", 0.3), row("shop-2", 0.72), row("quiet-1", 0.1, "Deployment/quiet"), row("lone", 0.4, "")]
    shop, lone = throttling_findings(rows, "prod", NOW)
    assert (shop.subject.kind, shop.subject.name, shop.aspect) == ("Deployment", "shop", "app")
    assert "72 %" in shop.cause
    assert "0.5 cores" in shop.cause
    assert shop.severity is Severity.CRITICAL
    assert shop.details["pods"] == 2
    assert (lone.subject.kind, lone.subject.name, lone.severity) == ("Pod", "lone", Severity.WARNING)


def test_a_dozen_periods_are_no_verdict() -> None:
    hardly = ThrottledContainer("team", "shop-1", "app", 0.83, "Deployment/shop", periods=12)
    assert throttling_findings([hardly], "prod", NOW) == []
    (told,) = throttling_findings([hardly, row("shop-2", 0.5)], "prod", NOW)
    assert told.details["pods"] == 1
