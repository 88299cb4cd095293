"""Ingresses and Gateway API routes that name something that does not exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from tools.kubernetes.fields import mapping, mappings, number, text
from tools.kubernetes.records import Resource

_CLASS_ANNOTATION = "kubernetes.io/ingress.class"  # older than the field, and still served
_DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"
_GATEWAY_GROUP = "gateway.networking.k8s.io"
# A port of this name says that the service's name means an annotation (a redirect, say): AWS Load Balancer Controller.
_ANNOTATION_PORT = "use-annotation"
_ROUTES = ("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute")


def check_ingresses(snapshot: Snapshot) -> Iterator[Problem]:
    """Class and backends. TLS Secrets are not looked at: this program never reads Secrets."""
    for ingress in snapshot.of("Ingress"):
        name = text(ingress.spec, "ingressClassName")
        if name and snapshot.knows("IngressClass") and not snapshot.find("IngressClass", "", name):
            cause = f"The IngressClass {name} does not exist, so no controller serves this Ingress."
            yield Problem("INGRESS_CLASS_MISSING", ingress, "IngressClassNotFound", cause)
        elif not name and _nobody_serves(snapshot, ingress):
            cause = "It names no IngressClass and none is the default, so no controller serves this Ingress."
            yield Problem("INGRESS_CLASS_MISSING", ingress, "NoIngressClass", cause)
        for service, port in sorted(set(_backends(ingress))):
            if port == _ANNOTATION_PORT:
                continue
            yield from _backend(snapshot, ingress, ingress.namespace, service, port)


def _nobody_serves(snapshot: Snapshot, ingress: Resource) -> bool:
    """Whether an Ingress without a class is left lying: some controllers serve those too, and then give an address."""
    if _CLASS_ANNOTATION in ingress.annotations or mappings(ingress.status, "loadBalancer", "ingress"):
        return False
    defaults = [c for c in snapshot.of("IngressClass") if c.annotations.get(_DEFAULT_CLASS) == "true"]
    waited = snapshot.age(ingress.created_at) > seconds(thresholds().address_seconds)
    return snapshot.knows("IngressClass") and not defaults and waited


def _backends(ingress: Resource) -> Iterator[tuple[str, str]]:
    """(service, port) of each rule; the port as number or name in text."""
    backends = [mapping(ingress.spec, "defaultBackend") or mapping(ingress.spec, "backend")]
    for rule in mappings(ingress.spec, "rules"):
        backends += [mapping(path, "backend") for path in mappings(rule, "http", "paths")]
    for backend in backends:
        service = text(backend, "service", "name") or text(backend, "serviceName")
        port = mapping(backend, "service", "port")
        if service:
            yield service, text(port, "number") or text(port, "name") or text(backend, "servicePort")


def _backend(snapshot: Snapshot, source: Resource, namespace: str, name: str, port: str) -> Iterator[Problem]:
    if not snapshot.knows("Service", namespace):
        return
    service = snapshot.find("Service", namespace, name)
    if service is None:
        cause = f"It sends traffic to the Service {name}, which does not exist."
        yield Problem("INGRESS_BACKEND_MISSING", source, "ServiceNotFound", cause, aspect=name)
    elif port and text(service.spec, "type") != "ExternalName" and not _has_port(service, port):
        cause = f"It sends traffic to port {port} of the Service {name}, which has no such port."
        yield Problem("INGRESS_BACKEND_MISSING", source, "PortNotFound", cause, aspect=f"{name}:{port}")


def _has_port(service: Resource, port: str) -> bool:
    return any(port in (text(entry, "port"), text(entry, "name")) for entry in mappings(service.spec, "ports"))


def check_routes(snapshot: Snapshot) -> Iterator[Problem]:
    """Gateways of a missing class, and routes to missing Services; their conditions are judged like all others."""
    for gateway in snapshot.of(f"Gateway.{_GATEWAY_GROUP}"):
        name = text(gateway.spec, "gatewayClassName")
        classes = f"GatewayClass.{_GATEWAY_GROUP}"
        if name and snapshot.knows(classes) and not snapshot.find(classes, "", name):
            cause = f"The GatewayClass {name} does not exist, so no controller serves this Gateway."
            yield Problem("INGRESS_CLASS_MISSING", gateway, "GatewayClassNotFound", cause)
    for kind in _ROUTES:
        for route in snapshot.of(f"{kind}.{_GATEWAY_GROUP}"):
            for reference in _route_backends(route):
                namespace = text(reference, "namespace") or route.namespace
                port = number(reference, "port")
                yield from _backend(snapshot, route, namespace, text(reference, "name"), str(port or ""))


def _route_backends(route: Resource) -> Iterator[Mapping[str, Any]]:
    for rule in mappings(route.spec, "rules"):
        for reference in mappings(rule, "backendRefs"):
            if text(reference, "kind") in ("", "Service") and text(reference, "name"):
                yield reference
