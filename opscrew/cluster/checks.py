"""Every check, in the order in which problems of equal severity are shown. Add a check here and in its own file."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from opscrew.cluster.custom.check import check_custom_resources
from opscrew.cluster.event_faults import check_unseen
from opscrew.cluster.network.ingresses import check_ingresses, check_routes
from opscrew.cluster.network.services import check_services
from opscrew.cluster.network.webhooks import check_webhooks
from opscrew.cluster.platform.apis import check_apis
from opscrew.cluster.platform.certificates import check_certificates
from opscrew.cluster.platform.hygiene import check_config_maps, check_network_policies, check_roles, check_security
from opscrew.cluster.platform.nodes import check_nodes
from opscrew.cluster.platform.quotas import check_quotas
from opscrew.cluster.platform.terminations import check_terminations
from opscrew.cluster.platform.volumes import check_attachments, check_claims, check_storage_classes, check_volumes
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.workloads.autoscalers import check_autoscalers
from opscrew.cluster.workloads.deployments import check_deployments, check_replica_sets
from opscrew.cluster.workloads.disruptions import check_disruption_budgets
from opscrew.cluster.workloads.jobs import check_cron_jobs, check_jobs
from opscrew.cluster.workloads.pods import check_pods
from opscrew.cluster.workloads.sets import check_daemon_sets, check_stateful_sets

Check = Callable[[Snapshot], Iterator[Problem]]

CHECKS: tuple[Check, ...] = (
    check_nodes,
    check_apis,
    check_webhooks,
    check_claims,
    check_volumes,
    check_attachments,
    check_storage_classes,
    check_pods,
    check_deployments,
    check_replica_sets,
    check_stateful_sets,
    check_daemon_sets,
    check_jobs,
    check_cron_jobs,
    check_services,
    check_ingresses,
    check_routes,
    check_autoscalers,
    check_disruption_budgets,
    check_quotas,
    check_certificates,
    check_custom_resources,
    check_unseen,
    check_terminations,
    check_config_maps,
    check_network_policies,
    check_roles,
    check_security,
)
