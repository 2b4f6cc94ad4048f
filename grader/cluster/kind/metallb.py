"""MetalLB in layer 2 mode: its manifest, fetched once and verified, and the objects that give it addresses."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml

from grader.cluster.kind.addresses import Pool
from grader.cluster.kind.options import METALLB_MANIFEST, METALLB_SHA256
from grader.errors import EnvironmentError_
from grader.paths import state_root, write_atomically

NAMESPACE = "metallb-system"
OURS = "services-course"
DOWNLOAD_SECONDS = 30.0


def manifest(source: str) -> str:
    """Text of MetalLB's manifest.

    Args:
        source: a path, which is trusted as it is, or a URL. The default URL is verified against its known checksum, and
            kept for the next cluster.

    Raises EnvironmentError_ ("metallb-unreadable", "metallb-download-failed", "metallb-checksum").
    """
    if not source.startswith(("https://", "http://")):
        try:
            return Path(source).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise EnvironmentError_("metallb-unreadable", path=source, reason=error) from error
    if source != METALLB_MANIFEST:
        return _download(source)
    kept = state_root() / "downloads" / f"metallb-native-{METALLB_SHA256[:12]}.yaml"
    if kept.is_file() and _sha256(text := kept.read_text(encoding="utf-8")) == METALLB_SHA256:
        return text
    text = _download(source)
    if _sha256(text) != METALLB_SHA256:
        raise EnvironmentError_("metallb-checksum", url=source, expected=METALLB_SHA256, seen=_sha256(text))
    write_atomically(kept, text)
    return text


def documents(text: str) -> list[dict[str, Any]]:
    """The objects of the manifest, in an order in which each finds what it needs.

    Raises EnvironmentError_ ("metallb-unreadable") where it is not a manifest of MetalLB.
    """
    try:
        found = [item for item in yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if item]
    except yaml.YAMLError as error:
        raise EnvironmentError_("metallb-unreadable", path="-", reason=error) from error
    if not any(item.get("kind") == "DaemonSet" for item in found if isinstance(item, dict)):
        raise EnvironmentError_("metallb-unreadable", path="-", reason="no DaemonSet")
    first = {"Namespace": 0, "CustomResourceDefinition": 1, "ServiceAccount": 2}
    return sorted(found, key=lambda item: first.get(item["kind"], 3))


def images(found: list[dict[str, Any]]) -> tuple[str, ...]:
    """The images that the manifest's Pods run."""
    names: dict[str, None] = {}
    for item in found:
        if item["kind"] in ("Deployment", "DaemonSet"):
            for container in item["spec"]["template"]["spec"]["containers"]:
                names[container["image"]] = None
    return tuple(names)


def pool_objects(pool: Pool) -> tuple[dict[str, Any], dict[str, Any]]:
    """What gives MetalLB its addresses and has it answer ARP for them (metallb.io/v1beta1)."""
    common = {"apiVersion": "metallb.io/v1beta1"}
    metadata = {"name": OURS, "namespace": NAMESPACE}
    return (
        {**common, "kind": "IPAddressPool", "metadata": metadata, "spec": {"addresses": [str(pool)]}},
        {**common, "kind": "L2Advertisement", "metadata": metadata, "spec": {"ipAddressPools": [OURS]}},
    )


def _download(url: str) -> str:
    from urllib.error import URLError
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=DOWNLOAD_SECONDS) as response:
            content: bytes = response.read()
            return content.decode()
    except (URLError, OSError, UnicodeDecodeError) as error:
        raise EnvironmentError_("metallb-download-failed", url=url, reason=error) from error


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
