"""What a probe's and a hook's handler must be: pkg/apis/core/validation/validation.go (1.36) validateHandler."""

from __future__ import annotations

from typing import Any

from grader.embedded.core.api.http.field import FieldError, forbidden, invalid, not_supported, required
from grader.embedded.core.api.kinds.service_rules import port_or_name

Spec = dict[str, Any]
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_TYPES = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_NOT_OF_INIT = "may not be set for init containers without restartPolicy=Always"
_STOP_SIGNAL = "may not be set for containers with empty `spec.os.name`"


def probes_and_lifecycle(container: Spec, path: str, grace: int, *, init: bool) -> list[FieldError]:
    """The hooks and probes of a container (validateContainers, validateInitContainers).

    Args:
        container: the container.
        path: where it is.
        grace: the Pod's terminationGracePeriodSeconds.
        init: whether it is an init container.

    """
    fields = [field for field in ("lifecycle", *PROBES) if container.get(field) is not None]
    if init and container.get("restartPolicy") != "Always":
        return [forbidden(f"{path}.{field}", _NOT_OF_INIT) for field in fields]
    errors: list[FieldError] = []
    for field in fields:
        if field == "lifecycle":
            errors += _lifecycle(container[field], f"{path}.{field}", grace)
        else:
            errors += _probe(container[field], f"{path}.{field}", field)
    return errors


def _lifecycle(lifecycle: Spec, path: str, grace: int) -> list[FieldError]:
    errors: list[FieldError] = []
    for hook in ("postStart", "preStop"):
        if lifecycle.get(hook) is not None:
            errors += _handler(lifecycle[hook], f"{path}.{hook}", grace)
    if lifecycle.get("stopSignal"):
        errors.append(forbidden(f"{path}.stopSignal", _STOP_SIGNAL))
    return errors


def _probe(probe: Spec, path: str, kind: str) -> list[FieldError]:
    errors = _handler(probe, path)
    for field in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        if probe.get(field, 0) < 0:
            errors.append(invalid(f"{path}.{field}", probe[field], "must be greater than or equal to 0"))
    if kind != "readinessProbe" and probe.get("successThreshold", 1) != 1:
        errors.append(invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1"))
    return errors


def _handler(handler: Spec, path: str, grace: int = 0) -> list[FieldError]:
    found = [name for name in _TYPES if name in handler]
    if not found:
        return [required(path, "must specify a handler type")]
    action, where = handler[found[0]] or {}, f"{path}.{found[0]}"
    errors: list[FieldError] = []
    if found[0] == "exec" and not action.get("command"):
        errors.append(required(f"{where}.command"))
    if found[0] == "httpGet" and not action.get("path"):
        errors.append(required(f"{where}.path"))
    if found[0] in ("httpGet", "tcpSocket"):
        errors += port_or_name(action.get("port", 0), f"{where}.port")
    if found[0] == "httpGet" and action.get("scheme") not in ("HTTP", "HTTPS"):
        errors.append(not_supported(f"{where}.scheme", action.get("scheme", ""), ("HTTP", "HTTPS")))
    if found[0] == "sleep" and not 0 <= action.get("seconds", 0) <= grace:
        text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
        errors.append(invalid(where, action.get("seconds", 0), text))
    return errors + [forbidden(f"{path}.{extra}", "may not specify more than 1 handler type") for extra in found[1:]]
