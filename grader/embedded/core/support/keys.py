"""Labels and annotations that a cluster like kind acts upon, and what the embedded cluster makes of them.

Source: https://kubernetes.io/docs/reference/labels-annotations-taints/ (v1.36), plugin/pkg/admission (1.36).
A key that nothing in such a cluster reads (those of cloud providers, of Ingress controllers, of tools) is not here.
"""

from __future__ import annotations

from collections.abc import Mapping

from grader.embedded.core.support.states import Done, State, Warned

WARNED = Warned()

LABELS: Mapping[str, State] = {
    "endpointslice.kubernetes.io/managed-by": Done("test_slices_of_somebody_else_are_used_and_left_alone"),
    "endpointslice.kubernetes.io/skip-mirror": Done("transcript mirroring"),
    "kubernetes.io/service-name": Done("transcript selectorless"),
    "pod-security.kubernetes.io/audit": WARNED,
    "pod-security.kubernetes.io/enforce": Warned(("privileged",)),
    "pod-security.kubernetes.io/warn": Warned(("privileged",)),
    "service.kubernetes.io/service-proxy-name": Done(
        "test_services_for_another_proxy_and_headless_ones_are_not_proxied"
    ),
    "topology.kubernetes.io/zone": Done("transcript zones"),
}

ANNOTATIONS: Mapping[str, State] = {
    "controller.kubernetes.io/pod-deletion-cost": Done("test_the_cheapest_pod_is_deleted_first"),
    "kubectl.kubernetes.io/default-container": Done("test_the_default_container_is_the_annotated_one"),
    "service.kubernetes.io/topology-mode": Done("transcript distribution"),
}
