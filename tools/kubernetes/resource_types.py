"""The types of Kubernetes itself that a sweep reads. Secrets are not among them, on purpose.

Custom types are found by discovery. CustomResourceDefinitions are not listed: their schemas make them the largest
objects of many clusters, and discovery already tells which of them are served.
"""

from __future__ import annotations

from tools.kubernetes.records import ResourceType

EVENTS = ResourceType("", "v1", "events", "Event")
PODS = ResourceType("", "v1", "pods", "Pod")

# The slowest first, so that they are under way while the small ones come and go.
SWEEP_TYPES: tuple[ResourceType, ...] = (
    PODS,
    EVENTS,
    ResourceType("apps", "v1", "replicasets", "ReplicaSet"),
    ResourceType("apps", "v1", "deployments", "Deployment"),
    ResourceType("", "v1", "nodes", "Node", namespaced=False),
    ResourceType("", "v1", "configmaps", "ConfigMap"),
    ResourceType("", "v1", "services", "Service"),
    ResourceType("batch", "v1", "jobs", "Job"),
    ResourceType("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim"),
    ResourceType("", "v1", "persistentvolumes", "PersistentVolume", namespaced=False),
    ResourceType("", "v1", "namespaces", "Namespace", namespaced=False),
    ResourceType("", "v1", "resourcequotas", "ResourceQuota"),
    ResourceType("apps", "v1", "statefulsets", "StatefulSet"),
    ResourceType("apps", "v1", "daemonsets", "DaemonSet"),
    ResourceType("batch", "v1", "cronjobs", "CronJob"),
    ResourceType("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    ResourceType("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget"),
    ResourceType("networking.k8s.io", "v1", "ingresses", "Ingress"),
    ResourceType("networking.k8s.io", "v1", "ingressclasses", "IngressClass", namespaced=False),
    ResourceType("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"),
    ResourceType("storage.k8s.io", "v1", "storageclasses", "StorageClass", namespaced=False),
    ResourceType("storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment", namespaced=False),
    ResourceType(
        "admissionregistration.k8s.io",
        "v1",
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        namespaced=False,
    ),
    ResourceType(
        "admissionregistration.k8s.io",
        "v1",
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        namespaced=False,
    ),
    ResourceType("apiregistration.k8s.io", "v1", "apiservices", "APIService", namespaced=False),
    ResourceType("rbac.authorization.k8s.io", "v1", "roles", "Role"),
    ResourceType("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False),
)
