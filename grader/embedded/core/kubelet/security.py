"""Who a container's processes run as, and what its security context forbids.

Source: k8s.io/kubernetes v1.36.3 pkg/kubelet/kuberuntime/security_context_others.go (verifyRunAsNonRoot),
pkg/securitycontext/util.go (DetermineEffectiveSecurityContext). A port below 1024 is open to every user, as with
containerd's `enable_unprivileged_ports` (seen on kind 1.36.3), so that NET_BIND_SERVICE changes nothing.
"""

from __future__ import annotations

from typing import Any

from grader.embedded.core.kubelet.environment import ConfigError
from grader.embedded.core.objects import uid_of
from grader.embedded.core.programs.images.specs import ImageSpec
from grader.embedded.core.programs.images.users import User, user_of
from grader.embedded.core.store import Obj


def verify_non_root(pod: Obj, container: Obj, image: ImageSpec) -> None:
    """Refuse a container that must not run as root and would. Raises ConfigError."""
    if not _effective(pod, container, "runAsNonRoot"):
        return
    meta = pod["metadata"]
    where = f'(pod: "{meta["name"]}_{meta["namespace"]}({uid_of(pod)})", container: {container["name"]})'
    user = _effective(pod, container, "runAsUser")
    if user == 0:
        raise ConfigError(f"container's runAsUser breaks non-root policy {where}")
    if user is not None:
        return
    if image.user_name:
        named = f"image has non-numeric user ({image.user_name}), cannot verify user is non-root"
        raise ConfigError(f"container has runAsNonRoot and {named} {where}")
    if image.user == 0:
        raise ConfigError(f"container has runAsNonRoot and image will run as root {where}")


def user_of_container(pod: Obj, container: Obj, image: ImageSpec) -> User:
    """Who a container's processes run as (kuberuntime_container_linux.go, security_context.go)."""
    context = pod["spec"].get("securityContext") or {}
    own = context.get("fsGroup")
    more = [*(context.get("supplementalGroups") or ()), *([] if own is None else [own])]
    user, group = _effective(pod, container, "runAsUser"), _effective(pod, container, "runAsGroup")
    return user_of(image, user, group, more, strict=context.get("supplementalGroupsPolicy") == "Strict")


def is_root_read_only(container: Obj) -> bool:
    """Whether the container may not write to its own files."""
    return bool((container.get("securityContext") or {}).get("readOnlyRootFilesystem"))


def _effective(pod: Obj, container: Obj, field: str) -> Any:
    own = (container.get("securityContext") or {}).get(field)
    return (pod["spec"].get("securityContext") or {}).get(field) if own is None else own
