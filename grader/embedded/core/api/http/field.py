"""Field errors, spelled as k8s.io/apimachinery/pkg/util/validation/field/errors.go (1.36) spells them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with one field.

    Attributes:
        reason: the machine readable cause, such as `FieldValueInvalid`.
        field: path, such as `spec.ports[0].port`.
        message: the text without the path.
    """

    reason: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


def go_json(value: Any) -> str:
    """What Go's json.Marshal makes of a value: compact, with <, > and & escaped."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else go_json(value)


def _with(text: str, detail: str) -> str:
    return f"{text}: {detail}" if detail else text


def invalid(field: str, value: Any, detail: str) -> FieldError:
    """A value that is not of the form it must have."""
    return FieldError("FieldValueInvalid", field, _with(f"Invalid value: {_shown(value)}", detail))


def required(field: str, detail: str = "") -> FieldError:
    """A value that must be there."""
    return FieldError("FieldValueRequired", field, _with("Required value", detail))


def forbidden(field: str, detail: str) -> FieldError:
    """A value that must not be there."""
    return FieldError("FieldValueForbidden", field, _with("Forbidden", detail))


def duplicate(field: str, value: Any) -> FieldError:
    """A value that may be there once only."""
    return FieldError("FieldValueDuplicate", field, f"Duplicate value: {_shown(value)}")


def not_found(field: str, value: Any) -> FieldError:
    """A reference to something that does not exist."""
    return FieldError("FieldValueNotFound", field, f"Not found: {_shown(value)}")


def not_supported(field: str, value: Any, supported: Iterable[str]) -> FieldError:
    """A value outside an enumeration."""
    detail = "supported values: " + ", ".join(json.dumps(item) for item in supported)
    return FieldError("FieldValueNotSupported", field, _with(f"Unsupported value: {_shown(value)}", detail))


def too_long(field: str, limit: int) -> FieldError:
    """A text of too many bytes."""
    return FieldError("FieldValueTooLong", field, f"Too long: may not be more than {limit} bytes")


def too_many(field: str, actual: int, limit: int) -> FieldError:
    """A list of too many items."""
    return FieldError("FieldValueTooMany", field, f"Too many: {actual}: must have at most {limit} items")
