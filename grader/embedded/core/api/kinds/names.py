"""Forms of names, labels, ports and addresses.

Rules and texts: k8s.io/apimachinery/pkg/util/validation/{validation,ip}.go and pkg/api/validate/content/*.go (1.36).
Each function returns the messages, none where the value is right.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from grader.embedded.core.api.http.field import FieldError, invalid, required

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_KEY = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character"
)
_KEY_TEXT = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character"
)

PROTOCOLS = ("SCTP", "TCP", "UDP")

_WILDCARD_TEXT = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower"
    " case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
)


def _regex(message: str, expression: str, *examples: str) -> str:
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {shown}regex used for validation is '{expression}')"


def _too_long(value: str, limit: int, unit: str = "characters") -> list[str]:
    """Measured in bytes everywhere; the text says so only in pkg/api/validate/content/errors.go."""
    return [f"must be no more than {limit} {unit}"] if len(value.encode("utf-8", "surrogatepass")) > limit else []


def dns_label(value: str) -> list[str]:
    """RFC 1123 label."""
    errors = _too_long(value, 63)
    if not re.fullmatch(_LABEL, value):
        dotted = re.fullmatch(_SUBDOMAIN, value)
        errors.append("must not contain dots" if dotted else _regex(_LABEL_TEXT, _LABEL, "my-name", "123-abc"))
    return errors


def dns_subdomain(value: str, unit: str = "characters") -> list[str]:
    """RFC 1123 subdomain."""
    errors = _too_long(value, 253, unit)
    if not re.fullmatch(_SUBDOMAIN, value):
        errors.append(_regex(_SUBDOMAIN_TEXT, _SUBDOMAIN, "example.com"))
    return errors


def wildcard_subdomain(value: str) -> list[str]:
    """A wildcard in front of an RFC 1123 subdomain (IsWildcardDNS1123Subdomain)."""
    expression = rf"\*\.{_SUBDOMAIN}"
    errors = _too_long(value, 253)
    if not re.fullmatch(expression, value):
        errors.append(_regex(_WILDCARD_TEXT, expression, "*.example.com"))
    return errors


def label_key(value: str) -> list[str]:
    """A qualified name: an optional DNS prefix, a slash, and a name."""
    key_error = _regex(_KEY_TEXT, _KEY, "MyName", "my.name", "123-abc")
    parts = value.split("/")
    errors: list[str] = []
    if len(parts) == 2:
        if not parts[0]:
            errors.append("prefix part must be non-empty")
        else:
            errors.extend(f"prefix part {message}" for message in dns_subdomain(parts[0], "bytes"))
    elif len(parts) > 2:
        return [
            f"a valid label key {key_error} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ]
    name = parts[-1]
    if not name:
        errors.append("name part must be non-empty")
    errors.extend(f"name part {message}" for message in _too_long(name, 63, "bytes"))
    if not re.fullmatch(_KEY, name):
        errors.append(f"name part {key_error}")
    return errors


def label_value(value: str) -> list[str]:
    """The value of a label."""
    errors = _too_long(value, 63, "bytes")
    if not re.fullmatch(f"({_KEY})?", value):
        errors.append(_regex(_VALUE_TEXT, f"({_KEY})?", "MyValue", "my_value", "12345"))
    return errors


def port_number(value: int) -> list[str]:
    """A port number."""
    return [] if 1 <= value <= 65535 else ["must be between 1 and 65535, inclusive"]


def port_name(value: str) -> list[str]:
    """The name of a container's port (IANA service name)."""
    errors = _too_long(value, 15)
    if not re.fullmatch("[-a-z0-9]+", value):
        errors.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        errors.append("must contain at least one letter (a-z)")
    if "--" in value:
        errors.append("must not contain consecutive hyphens")
    if value and (value[0] == "-" or value[-1] == "-"):
        errors.append("must not begin or end with a hyphen")
    return errors


def config_map_key(value: str) -> list[str]:
    """A key of a ConfigMap or Secret."""
    errors = _too_long(value, 253)
    if not re.fullmatch("[-._a-zA-Z0-9]+", value):
        text = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        errors.append(_regex(text, "[-._a-zA-Z0-9]+", "key.name", "KEY_NAME", "key-name"))
    if value == ".":
        errors.append("must not be '.'")
    elif value == "..":
        errors.append("must not be '..'")
    elif value.startswith(".."):
        errors.append("must not start with '..'")
    return errors


def labels(values: Mapping[str, str], path: str) -> list[FieldError]:
    """Field errors of a set of labels or a selector of equalities."""
    errors: list[FieldError] = []
    for key, value in values.items():
        errors.extend(invalid(path, key, message) for message in label_key(key))
        errors.extend(invalid(path, value, message) for message in label_value(value))
    return errors


def parse_ip(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address, with leading zeros tolerated as Go's ParseIPSloppy does; None where it is none."""
    plain = ".".join(part.lstrip("0") or "0" for part in value.split(".")) if re.fullmatch(r"[\d.]+", value) else value
    try:
        return ipaddress.ip_address(plain)
    except ValueError:
        return None


def legacy_ip(path: str, value: str, known: tuple[str, ...] = ()) -> list[FieldError]:
    """IsValidIPForLegacyField with StrictIPCIDRValidation, the default of 1.36; values that were there stay valid."""
    if value in known:
        return []
    address = parse_ip(value)
    if address is None:
        return [invalid(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")]
    if isinstance(address, ipaddress.IPv4Address) and str(address) != value:
        return [invalid(path, value, "must not have leading 0s")]
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return [invalid(path, value, "must not be an IPv4-mapped IPv6 address")]
    return []


def strict_ip(path: str, value: str) -> list[FieldError]:
    """IsValidIP: strict and in canonical form."""
    errors = legacy_ip(path, value)
    if errors:
        return errors
    canonical = str(parse_ip(value))
    return [] if canonical == value else [invalid(path, value, f'must be in canonical form ("{canonical}")')]


def canonical_ip(value: str) -> list[str]:
    """IsValidIP as the form of a name (ValidateIPAddressName)."""
    return [error.message.removeprefix(invalid("", value, "").message + ": ") for error in strict_ip("", value)]


def path_segment(value: str) -> list[str]:
    """IsPathSegmentName."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{part}'" for part in "/%" if part in value]


def fqdn(path: str, value: str) -> list[FieldError]:
    """IsFullyQualifiedDomainName."""
    if not value:
        return [required(path)]
    name = value.removesuffix(".")
    if texts := dns_subdomain(name):
        return [invalid(path, name, ",".join(texts))]
    labels_ = name.split(".")
    if len(labels_) < 2:
        return [invalid(path, name, "should be a domain with at least two segments separated by dots")]
    for label in labels_:
        if texts := dns_label(label):
            return [invalid(path, label, ",".join(texts))]
    return []


def ip_warnings(path: str, value: str) -> list[str]:
    """GetWarningsForIP."""
    address = parse_ip(value)
    if address is None:
        return []
    if isinstance(address, ipaddress.IPv4Address) and str(address) != value:
        return [f'{path}: non-standard IP address "{value}" is invalid: use "{address}"']
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return [f'{path}: non-standard IP address "{value}" is invalid: use "{address.ipv4_mapped}"']
        if str(address) != value:
            return [f'{path}: IPv6 address "{value}" should be in RFC 5952 canonical format ("{address}")']
    return []


def cidr_warnings(path: str, value: str) -> list[str]:
    """GetWarningsForCIDR."""
    address = value.partition("/")[0]
    parsed, meant = parse_ip(address), network(value)
    if parsed is None or meant is None:
        return []
    found = []
    if meant.network_address != parsed:
        single = f"{parsed}/{parsed.max_prefixlen}"
        shown = f'(should be "{meant}" or "{single}"?)'
        found.append(f'{path}: CIDR value "{value}" is ambiguous in this context {shown}')
    mapped = isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped
    if (isinstance(parsed, ipaddress.IPv4Address) and str(parsed) != address) or mapped:
        found.append(f'{path}: non-standard CIDR value "{value}" is invalid: use "{meant}"')
    canonical = f"{parsed}/{meant.prefixlen}"
    if not found and parsed.version == 6 and canonical != value:
        found.append(f'{path}: IPv6 CIDR value "{value}" should be in RFC 5952 canonical format ("{canonical}")')
    return found


def endpoint_ip(path: str, value: str) -> list[FieldError]:
    """ValidateEndpointIP (pkg/apis/core/validation): not unspecified, loopback or link-local."""
    address = parse_ip(value)
    if address is None:
        return [invalid(path, value, "must be a valid IP address")]
    errors = []
    if address.is_unspecified:
        errors.append(invalid(path, value, f"may not be unspecified ({value})"))
    if address.is_loopback:
        errors.append(invalid(path, value, "may not be in the loopback range (127.0.0.0/8, ::1/128)"))
    if address.is_link_local:
        errors.append(invalid(path, value, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"))
    multicast = ("224.0.0.0/24", "ff02::/16")
    if any(address in ipaddress.ip_network(network) for network in multicast if ("." in network) == ("." in value)):
        errors.append(invalid(path, value, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"))
    return errors


def network(value: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The network of a CIDR, None where it is none (netutils.ParseCIDRSloppy)."""
    address, slash, length = value.partition("/")
    parsed = parse_ip(address)
    if parsed is None or not slash or not length.isdigit() or int(length) > parsed.max_prefixlen:
        return None
    return ipaddress.ip_network(f"{parsed}/{length}", strict=False)


def legacy_cidr(path: str, value: str, known: tuple[str, ...] = ()) -> list[FieldError]:
    """IsValidCIDRForLegacyField with strict validation."""
    if value in known:
        return []
    address = value.partition("/")[0]
    parsed, found = parse_ip(address), network(value)
    if parsed is None or found is None:
        return [invalid(path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")]
    if isinstance(parsed, ipaddress.IPv4Address) and str(parsed) != address:
        return [invalid(path, value, "must not have leading 0s in IP or prefix length")]
    if found.network_address != parsed:
        return [invalid(path, value, "must not have bits set beyond the prefix length")]
    return []


def strict_cidr(path: str, value: str) -> list[FieldError]:
    """IsValidCIDR: strict and in canonical form."""
    errors, found = legacy_cidr(path, value), network(value)
    canonical = errors or str(found) == value
    return errors if canonical else [invalid(path, value, f'must be in canonical form ("{found}")')]
