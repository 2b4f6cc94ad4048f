"""The volumes of a Pod: what the kubelet sets up once for all containers, and where each container sees it.

Source: k8s.io/kubernetes/pkg/volume ({configmap,secret,projected,downwardapi,emptydir,hostpath}),
pkg/kubelet/kubelet_pods.go makeMounts (1.36). An emptyDir is kept over restarts of containers and goes with the Pod.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from grader.embedded.core.api.access import tokens
from grader.embedded.core.kubelet.environment import ConfigError, contents, expand, field_value
from grader.embedded.core.programs.mounts import KEPT, Files, Mount
from grader.embedded.core.storage import is_bound
from grader.embedded.core.store import Obj, Store

WRITTEN = ("configMap", "secret", "downwardAPI", "projected")
"""Sources that the kubelet writes itself, to be read only."""
NOT_SOURCES = frozenset(
    "name accessModes capacity claimRef mountOptions nodeAffinity persistentVolumeReclaimPolicy storageClassName"
    " volumeAttributesClassName volumeMode".split()
)
"""Fields of a volume, or of a PersistentVolume's spec, that say nothing of where it comes from."""
NODE_FOLDERS = frozenset(
    "/ /boot /dev /etc /etc/cni /etc/cni/net.d /etc/kubernetes /etc/kubernetes/manifests /etc/ssl /etc/ssl/certs /home"
    " /lib /lib/modules /mnt /opt /opt/cni /opt/cni/bin /proc /root /run /run/containerd /srv /sys /sys/fs/cgroup /tmp"
    " /usr /usr/share /usr/local /var /var/lib /var/lib/containerd /var/lib/etcd /var/lib/kubelet /var/log"
    " /var/log/containers /var/log/pods /var/run".split()
)
"""Folders that a kind node has."""
NODE_SOCKETS = frozenset({"/run/containerd/containerd.sock", "/var/run/containerd/containerd.sock"})


@dataclass(frozen=True)
class Volume:
    """A volume that was set up.

    Attributes:
        files: its files; those of the whole node where it is a folder of it.
        folder: the folder of `files` that it is, "" for all of them.
        written: whether the kubelet writes it, so that containers may not.
        is_file: whether it is a single file of the node.
        read_only: whether a claim is used to be read only.
        open: whether everybody may write to it: not to a folder of the node, but for that of a claim.
        group: whom it belongs to beside its users (fsGroup), None for root's group.

    """

    files: Files
    folder: str = ""
    written: bool = False
    is_file: bool = False
    read_only: bool = False
    open: bool = True
    group: int | None = None


class Volumes:
    """The volumes of one Pod.

    Args:
        store: where ConfigMaps and Secrets are.
        disk: the files of the node: paths without a leading slash, and contents.
        host_ip: the node's address.

    """

    def __init__(self, store: Store, disk: Files, host_ip: str) -> None:
        self._store = store
        self._disk = disk
        self._host_ip = host_ip
        self._held: dict[str, Volume] = {}

    def set_up(self, pod: Obj, volume: Obj) -> None:
        """Make a volume ready, once. Raises ConfigError where it cannot be."""
        if volume["name"] not in self._held:
            self._held[volume["name"]] = self._made(pod, volume)

    def refresh(self, pod: Obj) -> None:
        """Write ConfigMaps and Secrets anew; what cannot be had stays, as on a real node."""
        for volume in pod["spec"].get("volumes") or ():
            held = self._held.get(volume["name"])
            if held is not None and held.written:
                try:
                    new = dict(_written(self._store, pod, volume, self._host_ip))
                except ConfigError:
                    continue
                held.files.clear()
                held.files.update(new)

    def mounts(self, container: Obj, variables: Mapping[str, str]) -> list[Mount]:
        """Where a container sees the volumes; a subPath that is not there becomes a folder."""
        return [
            _mount(self._held[mount["name"]], mount, variables)
            for mount in container.get("volumeMounts") or ()
            if mount["name"] in self._held
        ]

    def _made(self, pod: Obj, volume: Obj) -> Volume:
        if any(source in volume for source in WRITTEN):
            files = dict(_written(self._store, pod, volume, self._host_ip))
            return Volume(files, written=True, group=_group(pod))
        if "emptyDir" in volume:
            return Volume({}, group=_group(pod))
        if "persistentVolumeClaim" in volume:
            source = volume["persistentVolumeClaim"]
            made = self._made(pod, {"name": volume["name"], **self._claimed(pod, source["claimName"])})
            return replace(made, read_only=bool(source.get("readOnly")), open=True)
        if "hostPath" in volume:
            return self._of_node(volume["hostPath"])
        if "local" in volume:
            return self._of_node({**volume["local"], "type": "Directory"})
        kind = next((source for source in volume if source not in NOT_SOURCES), "such")
        raise ConfigError(f"the embedded cluster has no {kind} volumes (use a kind cluster: grader cluster up --kind)")

    def _claimed(self, pod: Obj, name: str) -> Obj:
        """The spec of the volume that a claim has (desired_state_of_world_populator.go). Raises ConfigError."""
        namespace = pod["metadata"]["namespace"]
        claim = self._store.get("persistentvolumeclaims", namespace, name)
        if claim is None:
            raise ConfigError(f'persistentvolumeclaim "{name}" not found')
        volume = self._store.get("persistentvolumes", "", claim["spec"].get("volumeName", ""))
        if volume is None or not is_bound(claim):
            raise ConfigError(f"error processing PVC {namespace}/{name}: PVC is not bound")
        spec: Obj = volume["spec"]
        return spec

    def _of_node(self, source: Mapping[str, Any]) -> Volume:
        """A file or folder of the node (host_path.go checkTypeInternal). Raises ConfigError."""
        path = str(source["path"]).rstrip("/") or "/"
        key = path.strip("/")
        is_file = key in self._disk
        is_folder = path in NODE_FOLDERS or any(name.startswith(f"{key}/") for name in self._disk)
        is_socket = path in NODE_SOCKETS
        kind = source.get("type") or ""
        if kind == "DirectoryOrCreate" and not (is_file or is_folder):
            is_folder = True
        elif kind == "FileOrCreate" and not (is_file or is_folder):
            self._disk[key] = b""
            is_file = True
        right, what = {
            "": (True, ""),
            "Directory": (is_folder, "directory"),
            "DirectoryOrCreate": (is_folder, "directory"),
            "File": (is_file, "file"),
            "FileOrCreate": (is_file, "file"),
            "Socket": (is_socket, "socket file"),
            "CharDevice": (False, "character device"),
            "BlockDevice": (False, "block device"),
        }[kind]
        if not right:
            raise ConfigError(f"hostPath type check failed: {path} is not a {what}")
        if not is_file:
            self._disk.setdefault(f"{key}/{KEPT}", b"")
        return Volume(self._disk, key, is_file=is_file, open=key == "tmp")


def _group(pod: Obj) -> int | None:
    """The group of volumes that the kubelet makes (pkg/volume/volume_linux.go SetVolumeOwnership)."""
    found: int | None = (pod["spec"].get("securityContext") or {}).get("fsGroup")
    return found


def _mount(volume: Volume, mount: Obj, variables: Mapping[str, str]) -> Mount:
    read_only = volume.written or volume.read_only or bool(mount.get("readOnly"))
    path = mount["mountPath"].rstrip("/") if mount["mountPath"].startswith("/") else f"/{mount['mountPath']}"
    whole = Mount(path, volume.files, volume.folder, read_only, volume.is_file, volume.open, volume.group)
    sub = (mount.get("subPath") or expand(mount.get("subPathExpr") or "", variables)).strip("/")
    if not sub or sub == ".":
        return whole
    inside = f"{volume.folder}/{sub}" if volume.folder else sub
    if inside in volume.files:
        # what the kubelet writes anew is a new file, and the mount is of the old one
        files = {inside: volume.files[inside]} if volume.written else volume.files
        return replace(whole, files=files, inside=inside, is_file=True)
    volume.files.setdefault(f"{inside}/{KEPT}", b"")
    return replace(whole, inside=inside)


def _written(store: Store, pod: Obj, volume: Obj, host_ip: str) -> Iterator[tuple[str, bytes]]:
    """Path in the volume and content of each file of a volume that the kubelet writes. Raises ConfigError."""
    namespace = pod["metadata"]["namespace"]
    projected = volume.get("projected")
    for part in [volume] if projected is None else projected.get("sources") or ():
        if source := part.get("configMap"):
            yield from _source(store, "configmaps", namespace, source, source.get("name"))
        elif source := part.get("secret"):  # a projection of one calls it name
            yield from _source(store, "secrets", namespace, source, source.get("secretName") or source.get("name"))
        elif source := part.get("downwardAPI"):
            yield from _downward(pod, source, host_ip)
        elif source := part.get("serviceAccountToken"):
            yield source["path"], tokens.mounted(store, pod, source).encode()


def _source(
    store: Store, resource: str, namespace: str, source: Mapping[str, Any], name: str | None
) -> Iterator[tuple[str, bytes]]:
    obj = store.get(resource, namespace, name or "")
    if obj is None:
        if not source.get("optional"):
            raise ConfigError(f'{resource.removesuffix("s")} "{name}" not found')
        return
    data = contents(obj)
    items = source.get("items")
    if items:
        for item in items:
            if item["key"] in data:
                yield item["path"], data[item["key"]]
            elif not source.get("optional"):
                raise ConfigError(f"references non-existent config key: {item['key']}")
    else:
        yield from data.items()


def _downward(pod: Obj, source: Mapping[str, Any], host_ip: str) -> Iterator[tuple[str, bytes]]:
    for item in source.get("items") or ():
        if reference := item.get("fieldRef"):
            yield item["path"], field_value(pod, reference["fieldPath"], host_ip).encode()
