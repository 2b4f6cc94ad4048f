"""TokenRequest, the subresource `token` of ServiceAccounts: `kubectl create token`.

Source: Kubernetes v1.36.3 pkg/registry/core/serviceaccount/storage/token.go (Create),
pkg/apis/authentication/validation/validation.go (ValidateTokenRequest).
"""

from __future__ import annotations

from typing import Any

from grader.embedded.core.api.access import tokens
from grader.embedded.core.api.http import status
from grader.embedded.core.api.http.field import invalid
from grader.embedded.core.api.http.messages import JSON, Response
from grader.embedded.core.api.http.negotiate import encode
from grader.embedded.core.api.http.routes import ResourcePath
from grader.embedded.core.api.kinds.call import Call
from grader.embedded.core.api.write import bodies
from grader.embedded.core.store import Obj, Store, timestamp

GROUP, KIND = "authentication.k8s.io", "TokenRequest"
SHORTEST, LONGEST = 600, 1 << 32  # seconds


def create(store: Store, call: Call) -> Response:
    """Make a token. Raises ApiError (400, 404, 409, 422)."""
    target = call.target
    asked = bodies.decode_as(call.request, GROUP, "v1", KIND)
    meta: dict[str, Any] = dict(asked.get("metadata") or {})
    for field, given in (("name", target.name), ("namespace", target.namespace)):
        if meta.get(field) and meta[field] != given:
            error = invalid(f"metadata.{field}", meta[field], f"must match the service account {field} if specified")
            raise status.invalid(KIND, GROUP, target.name, [error])
    account = store.get("serviceaccounts", target.namespace, target.name)
    if account is None:
        raise status.not_found("serviceaccounts", "", target.name)
    uid = account["metadata"]["uid"]
    if meta.get("uid") and meta["uid"] != uid:
        why = f"the UID in the token request ({meta['uid']}) does not match the UID of the service account ({uid})"
        raise status.conflict(KIND, GROUP, target.name, why)
    spec = dict(asked.get("spec") or {})
    spec["audiences"] = list(spec.get("audiences") or [tokens.ISSUER])
    seconds = spec["expirationSeconds"] = int(spec.get("expirationSeconds") or 3600)  # v1/defaults.go
    if not SHORTEST <= seconds <= LONGEST:
        limit = "less than 10 minutes" if seconds < SHORTEST else "larger than 2^32 seconds"
        why = f"may not specify a duration {limit}"
        raise status.invalid(KIND, GROUP, "", [invalid("spec.expirationSeconds", seconds, why)])
    spec["boundObjectRef"] = spec.get("boundObjectRef")
    bound = _bound(store, target, spec["boundObjectRef"]) if spec["boundObjectRef"] else None
    now = int(store.now())
    token = tokens.issue(store, account, now, seconds, spec["audiences"], bound)
    if "dryRun" in {key for key, _ in call.request.query}:
        token = ""
    answer = {
        "kind": KIND,
        "apiVersion": f"{GROUP}/v1",
        "metadata": {
            **meta,
            "name": target.name,
            "namespace": target.namespace,
            "uid": uid,
            "creationTimestamp": timestamp(now),
        },
        "spec": spec,
        "status": {"token": token, "expirationTimestamp": timestamp(now + seconds)},
    }
    return Response(201, (("content-type", JSON),), encode(answer))


def _bound(store: Store, target: ResourcePath, reference: dict[str, Any]) -> Obj:
    """The object a token ends with. Raises ApiError."""
    kind, name = reference.get("kind", ""), reference.get("name", "")
    group, _, version = str(reference.get("apiVersion", "")).rpartition("/")
    if group or kind not in ("Pod", "Node", "Secret"):
        raise status.bad_request(f"cannot bind token to object of type {group}/{version}, Kind={kind}")
    plural = f"{kind.lower()}s"
    found = store.get(plural, "" if kind == "Node" else target.namespace, name)
    if found is None:
        raise status.not_found(plural, "", name)
    if kind == "Pod" and found["spec"].get("serviceAccountName") != target.name:
        raise status.bad_request(
            f'cannot bind token for serviceaccount "{target.name}" to pod running with different serviceaccount name.'
        )
    uid = found["metadata"]["uid"]
    if reference.get("uid") and reference["uid"] != uid:
        why = (
            f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise status.conflict(kind, "", name, why)
    return {**found, "kind": kind}
