"""Admission by LimitRanges and ResourceQuotas: whether a Namespace has room for an object."""

from __future__ import annotations

from grader.embedded.core import limits, quota
from grader.embedded.core.api.http.status import forbidden
from grader.embedded.core.api.kinds.registry import STORED
from grader.embedded.core.store import Obj, Store


def admit(store: Store, resource: str, obj: Obj, old: Obj | None = None) -> None:
    """Let an object into its Namespace, or raise ApiError (403): LimitRanger, then ResourceQuota.

    Args:
        store: all objects.
        resource: plural resource name.
        obj: the object as it would be stored.
        old: what it replaces, None for a new one.

    """
    namespace, name = obj["metadata"].get("namespace") or "", obj["metadata"]["name"]
    if not namespace:
        return
    why = ""
    if resource == "pods" and old is None:
        why = limits.refusal(store.list("limitranges", namespace), obj)
    quotas = store.list("resourcequotas", namespace)
    groups = {plural: entry.group for plural, entry in STORED.items()}
    if not why and quotas:
        why = quota.refusal(quotas, resource, obj, old, lambda kind: store.list(kind, namespace), groups, store.now())
    if why:
        raise forbidden(resource, groups[resource], name, why)
