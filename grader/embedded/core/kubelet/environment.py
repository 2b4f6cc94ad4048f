"""What a container finds when it starts: environment variables and files.

Source: k8s.io/kubernetes/pkg/kubelet/envvars/envvars.go, pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables,
podFieldSelectorRuntimeValue, managedHostsFileContent, getServiceEnvVarMap), pkg/kubelet/network/dns/dns.go, and
third_party/forked/golang/expansion/expand.go.
"""

from __future__ import annotations

import base64
import re
from collections import ChainMap
from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import ceil
from types import MappingProxyType
from typing import Any

from grader.embedded.core.index import Index, cluster_ips
from grader.embedded.core.objects import pod_ip
from grader.embedded.core.quantity import amount
from grader.embedded.core.store import Obj, Store

CLUSTER_DOMAIN = "cluster.local"
DNS_IP = "10.96.0.10"
UPSTREAM_DNS_IP = "172.18.0.1"
"""The nameserver in a node's own resolv.conf."""
FQDN_LENGTH = 64  # pkg/kubelet/util/util.go fqdnMaxLen: the kernel's field for a node name

HOSTS_HEAD = """# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""

_REFERENCE = re.compile(r"\$(\$|\(([^()]*)\))")


class ConfigError(Exception):
    """Something that the container's configuration names does not exist; `str()` is the kubelet's message."""


Described = tuple[str, str, tuple[tuple[str, int, str], ...]]
"""What variables tell of a Service: its name, its ClusterIP, and name, number and protocol of each port."""


def service_variables(services: Iterable[Obj]) -> Mapping[str, str]:
    """The variables that describe Services with a ClusterIP (envvars.go FromServices).

    Containers that see the same Services share them: each has many times as many of these as of its own.
    """
    return _service_variables(
        tuple(_described(service, ips[0]) for service in services if (ips := cluster_ips(service)))
    )


def _described(service: Obj, ip: str) -> Described:
    ports = service["spec"].get("ports") or ()
    told = tuple((port.get("name") or "", port["port"], port.get("protocol") or "TCP") for port in ports)
    return service["metadata"]["name"], ip, told


@lru_cache(maxsize=16)
def _service_variables(services: tuple[Described, ...]) -> Mapping[str, str]:
    result: dict[str, str] = {}
    for service in services:
        result.update(_variables_of(service))
    return MappingProxyType(result)


@lru_cache(maxsize=1024)
def _variables_of(service: Described) -> Mapping[str, str]:
    name, ip, ports = service
    prefix = name.upper().replace("-", "_")
    result = {f"{prefix}_SERVICE_HOST": ip}
    if ports:
        result[f"{prefix}_SERVICE_PORT"] = str(ports[0][1])
    for port_name, number, _ in ports:
        if port_name:
            result[f"{prefix}_SERVICE_PORT_{port_name.upper().replace('-', '_')}"] = str(number)
    for at, (_, number, protocol) in enumerate(ports):
        url = f"{protocol.lower()}://{ip}:{number}"
        if at == 0:
            result[f"{prefix}_PORT"] = url
        link = f"{prefix}_PORT_{number}_{protocol.upper()}"
        result.update({link: url, f"{link}_PROTO": protocol.lower(), f"{link}_PORT": str(number), f"{link}_ADDR": ip})
    return result


def visible_services(index: Index, namespace: str, links: bool) -> list[Obj]:
    """The Services that a new Pod sees as variables (kubelet_pods.go getServiceEnvVarMap).

    `kubernetes` of the default namespace always, those of its own namespace where enableServiceLinks is set.
    """
    own = sorted(index.services(namespace), key=lambda s: s["metadata"]["name"]) if links else []
    master = index.service(("default", "kubernetes"))
    if master is not None and not any(s["metadata"]["name"] == "kubernetes" for s in own):
        own.insert(0, master)
    return own


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace $(NAME) by its value; unknown names stay as they are, $$ is a dollar sign."""

    def replace(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        return variables.get(match[2], match[0])

    return _REFERENCE.sub(replace, text)


def container_environment(store: Store, index: Index, pod: Obj, container: Obj, host_ip: str) -> Mapping[str, str]:
    """The environment of a container. Raises ConfigError where it refers to something that is not there."""
    namespace = pod["metadata"]["namespace"]
    links = pod["spec"].get("enableServiceLinks", True)
    services = service_variables(visible_services(index, namespace, links))
    result: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        for resource, field in (("configmaps", "configMapRef"), ("secrets", "secretRef")):
            if reference := source.get(field):
                data = _data(store, resource, namespace, reference)
                result.update({f"{source.get('prefix', '')}{key}": value for key, value in data.items()})
    known = ChainMap(result, services)  # type: ignore[arg-type]  # nobody writes to the services
    for variable in container.get("env") or ():
        value = _value(store, pod, container, variable, known, host_ip)
        if value is not None:
            result[variable["name"]] = value
    return known


def _value(
    store: Store, pod: Obj, container: Obj, variable: dict[str, Any], known: Mapping[str, str], host_ip: str
) -> str | None:
    source = variable.get("valueFrom")
    if not source:
        return expand(variable.get("value") or "", known)
    if reference := source.get("fieldRef"):
        return field_value(pod, reference["fieldPath"], host_ip)
    if reference := source.get("resourceFieldRef"):
        return _resource(store, pod, container, reference)
    namespace = pod["metadata"]["namespace"]
    for resource, kind, field in (
        ("configmaps", "ConfigMap", "configMapKeyRef"),
        ("secrets", "Secret", "secretKeyRef"),
    ):
        if reference := source.get(field):
            data = _data(store, resource, namespace, reference)
            if reference["key"] in data:
                return data[reference["key"]]
            if reference.get("optional"):
                return None
            raise ConfigError(f"couldn't find key {reference['key']} in {kind} {namespace}/{reference['name']}")
    return ""


def _data(store: Store, resource: str, namespace: str, reference: Mapping[str, Any]) -> dict[str, str]:
    """The text values of a ConfigMap or Secret."""
    obj = store.get(resource, namespace, reference.get("name") or "")
    if obj is None:
        if reference.get("optional"):
            return {}
        raise ConfigError(f'{resource.removesuffix("s")} "{reference.get("name")}" not found')
    return {key: value.decode(errors="replace") for key, value in contents(obj).items()}


def contents(obj: Obj) -> dict[str, bytes]:
    """The keys of a ConfigMap or Secret as bytes."""
    if obj["kind"] == "Secret":
        plain = {key: value.encode() for key, value in (obj.get("stringData") or {}).items()}
        return {key: base64.b64decode(value) for key, value in (obj.get("data") or {}).items()} | plain
    binary = {key: base64.b64decode(value) for key, value in (obj.get("binaryData") or {}).items()}
    return {key: value.encode() for key, value in (obj.get("data") or {}).items()} | binary


def field_value(pod: Obj, path: str, host_ip: str) -> str:
    """What a fieldRef gives."""
    metadata, spec = pod["metadata"], pod["spec"]
    if match := re.fullmatch(r"metadata\.(labels|annotations)\['(.*)'\]", path):
        return str((metadata.get(match[1]) or {}).get(match[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        pairs = metadata.get(path.removeprefix("metadata.")) or {}
        return "\n".join(f'{key}="{pairs[key]}"' for key in sorted(pairs))
    values = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.hostIP": host_ip,
        "status.hostIPs": host_ip,
        "status.podIP": pod_ip(pod),
        "status.podIPs": pod_ip(pod),
    }
    return str(values.get(path, ""))


def _resource(store: Store, pod: Obj, container: Obj, reference: Mapping[str, Any]) -> str:
    """What a resourceFieldRef gives, rounded up to the divisor (pkg/api/v1/resource/helpers.go, 1.36).

    A limit that is not set is what the node has (MergeContainerResourceLimits).
    """
    kind, _, name = reference["resource"].partition(".")
    if named := reference.get("containerName"):
        every = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
        container = next((item for item in every if item["name"] == named), container)
    found = ((container.get("resources") or {}).get(kind) or {}).get(name)
    if found is None and kind == "limits":
        node = store.get("nodes", "", pod["spec"].get("nodeName", "")) or {}
        found = ((node.get("status") or {}).get("allocatable") or {}).get(name)
    return str(ceil(amount(found or 0) / (amount(reference.get("divisor") or 0) or 1)))


def pod_hostname(pod: Obj) -> str:
    """The host name inside the Pod (kubelet_pods.go GeneratePodHostNameAndDomain)."""
    if pod["spec"].get("hostNetwork"):
        return str(pod["spec"].get("nodeName", ""))
    return str(pod["spec"].get("hostname") or pod["metadata"]["name"][:63].rstrip("-."))


def kernel_hostname(pod: Obj) -> str:
    """The host name that the kernel tells (pkg/kubelet/util/util.go GetNodenameForKernel).

    Raises ConfigError where it would be longer than the kernel's 64 characters.
    """
    hostname, spec = pod_hostname(pod), pod["spec"]
    if spec.get("hostNetwork") or not (spec.get("setHostnameAsFQDN") and spec.get("subdomain")):
        return hostname
    fqdn = _qualified(pod)
    if len(fqdn) > FQDN_LENGTH:
        raise ConfigError(
            f"failed to construct FQDN from pod hostname and cluster domain, FQDN {fqdn} is too long"
            f" ({FQDN_LENGTH} characters is the max, {len(fqdn)} characters requested)"
        )
    return fqdn


def _qualified(pod: Obj) -> str:
    return f"{pod_hostname(pod)}.{pod['spec']['subdomain']}.{pod['metadata']['namespace']}.svc.{CLUSTER_DOMAIN}"


def base_files(pod: Obj, ip: str) -> dict[str, bytes]:
    """/etc/hostname, /etc/hosts and /etc/resolv.conf."""
    hostname = pod_hostname(pod)
    names = hostname
    if pod["spec"].get("subdomain"):
        names = f"{_qualified(pod)}\t{hostname}"
    hosts = f"{HOSTS_HEAD}{ip}\t{names}\n"
    if aliases := pod["spec"].get("hostAliases"):
        hosts += "\n# Entries added by HostAliases.\n"
        hosts += "".join("\t".join([alias["ip"], *(alias.get("hostnames") or ())]) + "\n" for alias in aliases)
    return {
        "/etc/hostname": f"{kernel_hostname(pod)}\n".encode(),
        "/etc/hosts": hosts.encode(),
        "/etc/resolv.conf": resolv_conf(pod).encode(),
    }


def resolv_conf(pod: Obj) -> str:
    """The resolver's configuration (dns.go GetPodDNS)."""
    spec, namespace = pod["spec"], pod["metadata"]["namespace"]
    policy = spec.get("dnsPolicy", "ClusterFirst")
    servers: list[str] = []
    searches: list[str] = []
    options: list[str] = []
    if policy == "ClusterFirstWithHostNet" or (policy == "ClusterFirst" and not spec.get("hostNetwork")):
        servers = [DNS_IP]
        searches = [f"{namespace}.svc.{CLUSTER_DOMAIN}", f"svc.{CLUSTER_DOMAIN}", CLUSTER_DOMAIN]
        options = ["ndots:5"]
    elif policy != "None":
        servers = [UPSTREAM_DNS_IP]
    config = spec.get("dnsConfig") or {}
    servers = list(dict.fromkeys([*servers, *(config.get("nameservers") or ())]))
    searches = list(dict.fromkeys([*searches, *(config.get("searches") or ())]))
    named = {option.partition(":")[0]: option for option in options}
    for option in config.get("options") or ():
        value = option.get("value")
        named[option["name"]] = f"{option['name']}:{value}" if value else option["name"]
    lines = [f"search {' '.join(searches)}"] if searches else []
    lines += [f"nameserver {server}" for server in servers]
    if named:
        lines.append(f"options {' '.join(named.values())}")
    return "\n".join(lines) + "\n"
