"""Validating admission: whether there is room for an object beside the others."""

from __future__ import annotations

from grader.embedded.core import limits, quota
from grader.embedded.core.api.http.status import forbidden
from grader.embedded.core.api.kinds import priority
from grader.embedded.core.api.kinds.registry import STORED
from grader.embedded.core.store import Obj, Store


def admit(store: Store, resource: str, obj: Obj, old: Obj | None = None) -> None:
    """Let an object in, or raise ApiError (403): Priority, LimitRanger, then ResourceQuota.

    Args:
        store: all objects.
        resource: plural resource name.
        obj: the object as it would be stored.
        old: what it replaces, None for a new one.

    """
    namespace, name = obj["metadata"].get("namespace") or "", obj["metadata"]["name"]
    why = ""
    if resource == "priorityclasses":
        why = priority.refusal(store.list(resource), obj, old)
    elif resource == "pods" and old is None:
        why = limits.refusal(store.list("limitranges", namespace), obj)
    quotas = store.list("resourcequotas", namespace) if namespace else []
    if not why and quotas:
        groups = {plural: entry.group for plural, entry in STORED.items()}
        why = quota.refusal(quotas, resource, obj, old, lambda kind: store.list(kind, namespace), groups, store.now())
    if why:
        raise forbidden(resource, STORED[resource].group, name, why)
