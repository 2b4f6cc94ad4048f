"""Questions that are answered and not stored: who am I, may I. The one user of this cluster may do everything."""

from __future__ import annotations

from grader.embedded.core.api import status
from grader.embedded.core.api.messages import JSON, Request, Response
from grader.embedded.core.api.negotiate import encode
from grader.embedded.core.api.resources import Resource
from grader.embedded.core.api.writes import Writer

USER = {"username": "kubernetes-admin", "groups": ["kubeadm:cluster-admins", "system:authenticated"]}


def review(request: Request, resource: Resource, writer: Writer) -> Response:
    """Answer a SelfSubjectAccessReview and its kin. Raises ApiError."""
    asked, _ = writer.read_body(request, resource)
    answer = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": {}, "spec": asked.get("spec", {})}
    match resource.kind:
        case "SelfSubjectAccessReview":
            answer["status"] = {"allowed": True}
        case "SelfSubjectRulesReview":
            everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
            paths = {"verbs": ["*"], "nonResourceURLs": ["*"]}
            answer["status"] = {"resourceRules": [everything], "nonResourceRules": [paths], "incomplete": False}
        case "SelfSubjectReview":
            answer.pop("spec")
            answer["status"] = {"userInfo": USER}
        case _:
            raise status.method_not_allowed()
    return Response(201, (("content-type", JSON),), encode(answer))
