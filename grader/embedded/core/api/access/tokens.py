"""Tokens of ServiceAccounts: JSON Web Tokens with kube-apiserver's claims, told apart from forged ones by this cluster.

Source: Kubernetes v1.36.3 pkg/serviceaccount/claims.go (Claims, Validate), pkg/controlplane/apiserver/options (issuer).
A real cluster signs with RSA; the header says so here too, but the signature is an HMAC with a key that only this
cluster's state holds, so nobody outside can check it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Sequence
from typing import Any

from grader.embedded.core.api.http.messages import User
from grader.embedded.core.objects import parse_time
from grader.embedded.core.store import Obj, Store

ISSUER = "https://kubernetes.default.svc.cluster.local"
WARN_AFTER = 3607  # seconds: WarnOnlyBoundTokenExpirationSeconds, which the mounted token asks for
EXTENDED = 365 * 24 * 3600  # seconds: ExpirationExtensionSeconds, for which such a token is good all the same


def issue(
    store: Store, account: Obj, begun: int, seconds: int, audiences: Sequence[str] = (ISSUER,), bound: Obj | None = None
) -> str:
    """Make a token.

    Args:
        store: the cluster's objects.
        account: the ServiceAccount.
        begun: from when on it is good, seconds since the epoch.
        seconds: how long.
        audiences: whom it is for.
        bound: the Pod, Node or Secret it ends with, None for none.
    """
    meta = account["metadata"]
    claims: dict[str, Any] = {"namespace": meta["namespace"]}
    if bound is not None and bound.get("kind") == "Pod" and (node := bound["spec"].get("nodeName")):
        found = store.get("nodes", "", node)
        claims["node"] = {"name": node, **({"uid": found["metadata"]["uid"]} if found else {})}
    if bound is not None:
        claims[bound["kind"].lower()] = {"name": bound["metadata"]["name"], "uid": bound["metadata"]["uid"]}
    claims["serviceaccount"] = {"name": meta["name"], "uid": meta["uid"]}
    until = begun + seconds
    if seconds == WARN_AFTER and bound is not None and bound.get("kind") == "Pod" and tuple(audiences) == (ISSUER,):
        claims["warnafter"], until = until, begun + EXTENDED
    payload = {
        "aud": list(audiences),
        "exp": until,
        "iat": begun,
        "iss": ISSUER,
        "jti": str(uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([claims, begun, seconds, *audiences]))),
        "kubernetes.io": claims,
        "nbf": begun,
        "sub": f"system:serviceaccount:{meta['namespace']}:{meta['name']}",
    }
    kid = _encode(hashlib.sha256(_key(store)).digest())
    signed = f"{_json({'alg': 'RS256', 'kid': kid})}.{_json(payload)}"
    return f"{signed}.{_signature(store, signed)}"


def mounted(store: Store, pod: Obj, source: dict[str, Any]) -> str:
    """The token of a Pod's projected volume; always the same for the same Pod, "" where its account is gone."""
    meta = pod["metadata"]
    account = store.get("serviceaccounts", meta["namespace"], pod["spec"].get("serviceAccountName") or "default")
    if account is None:
        return ""
    begun = int(parse_time(meta["creationTimestamp"]))
    audience = source.get("audience")
    return issue(
        store,
        account,
        begun,
        int(source.get("expirationSeconds") or 3600),
        (audience,) if audience else (ISSUER,),
        {**pod, "kind": "Pod"},
    )


def user_of(store: Store, token: str) -> User | None:
    """Whose a token is; None where it is no good (any more): forged, for others, expired, or its object is gone."""
    signed, _, signature = token.rpartition(".")
    if not signed or not hmac.compare_digest(signature.encode(), _signature(store, signed).encode()):
        return None
    payload = json.loads(_decode(signed.partition(".")[2]))
    claims = payload["kubernetes.io"]
    if ISSUER not in payload["aud"] or not payload["nbf"] <= store.now() < payload["exp"]:
        return None
    namespace, account = claims["namespace"], claims["serviceaccount"]
    extra = {}
    for kind, where in (("serviceaccount", namespace), ("pod", namespace), ("secret", namespace), ("node", "")):
        if (named := claims.get(kind)) is None:
            continue
        found = store.get(f"{kind}s", where, named["name"])
        if found is None or found["metadata"]["uid"] != named.get("uid"):
            return None
        if kind in ("pod", "node"):
            extra[f"authentication.kubernetes.io/{kind}-name"] = (named["name"],)
            extra[f"authentication.kubernetes.io/{kind}-uid"] = (named["uid"],)
    extra["authentication.kubernetes.io/credential-id"] = (f"JTI={payload['jti']}",)
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return User(payload["sub"], groups, account["uid"], tuple(sorted(extra.items())))


def _key(store: Store) -> bytes:
    system = store.get("namespaces", "", "kube-system") or store.get("namespaces", "", "default")
    return system["metadata"]["uid"].encode() if system else b""


def _signature(store: Store, signed: str) -> str:
    return _encode(hmac.new(_key(store), signed.encode(), hashlib.sha256).digest())


def _json(tree: dict[str, Any]) -> str:
    return _encode(json.dumps(tree, separators=(",", ":")).encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
