"""An address in the clothes of a name: it works until the Service, or the Pod, is made anew."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from grader.criteria.call import Call
from grader.criteria.dns import Dns
from grader.model.kubernetes import addresses_of
from grader.model.vantage import ConfigKey
from grader.workflow.proof.attacks.hands import Act, Hands, put
from grader.workflow.proof.attacks.operator import Blow, Operator
from grader.workflow.proof.attacks.site import Site

POD_NAME = "statefulset.kubernetes.io/pod-name"


@dataclass(frozen=True)
class Named:
    """A value of a ConfigMap that names somebody.

    Attributes:
        key: where it stands.
        value: what the reference answer writes there.
        pod: the only Pod that may answer, "" for whoever the Service chooses.
        url: whether it is a URL; a bare name is only looked up.
    """

    key: ConfigKey
    value: str
    pod: str
    url: bool

    @property
    def host(self) -> str:
        """Read the name in it."""
        return urlsplit(self.value).hostname or "" if self.url else self.value.rstrip(".")

    def with_host(self, host: str) -> str:
        """Give the same value with another name in it."""
        return self.value.replace(self.host, host, 1)

    def service(self, home: str) -> tuple[str, str]:
        """Tell Namespace and name of the Service in it."""
        labels = self.host.split(".")[1 if self.pod else 0 :]
        return (labels[1] if len(labels) > 1 else home), labels[0]


def _named(site: Site) -> Iterator[Named]:
    data = {item.name: item.content.get("data") or {} for item in site.answered if item.kind == "ConfigMap"}
    seen: set[ConfigKey] = set()
    for item in site.exercise.criteria:
        expect = item.expect
        key = expect.to if isinstance(expect, Call) else expect.name if isinstance(expect, Dns) else ""
        if not isinstance(key, ConfigKey) or key in seen:
            continue
        seen.add(key)
        pod = expect.answered_by.get(POD_NAME, "") if isinstance(expect, Call) else ""
        yield Named(key, str(data[key.config_map][key.key]), pod, isinstance(expect, Call))


def _written(make: Callable[[Named, str, str], str], *, urls_only: bool) -> Callable[[Site], Iterator[Blow]]:
    """Make the blows of an operator that writes another host, made of the value, an address, and its Namespace."""

    def strikes(site: Site) -> Iterator[Blow]:
        for named in _named(site):
            if named.url or not urls_only:
                target = f"ConfigMap/{named.key.config_map} {named.key.key}"
                yield Blow(target, (named.key.key,), _writing(named, make))

    return strikes


def _writing(named: Named, make: Callable[[Named, str, str], str]) -> Act:
    def act(hands: Hands) -> None:
        namespace, service = named.service(hands.namespace)
        if named.pod:
            pods = hands.pods({POD_NAME: named.pod}, namespace)
            address = addresses_of(pods[0])[0]
        else:
            address = str(hands.read("Service", service, namespace)["spec"]["clusterIP"])
        value = named.with_host(make(named, address, namespace))
        hands.edit("ConfigMap", named.key.config_map, put(("data", named.key.key), value))

    return act


def _literal(_named: Named, address: str, _namespace: str) -> str:
    return address


def _pod_style(_named: Named, address: str, namespace: str) -> str:
    return f"{address.replace('.', '-')}.{namespace}.pod.cluster.local"


def _decimal(_named: Named, address: str, _namespace: str) -> str:
    return str(int(ipaddress.IPv4Address(address)))


def _hexadecimal(_named: Named, address: str, _namespace: str) -> str:
    return hex(int(ipaddress.IPv4Address(address)))


def _endpoint_names(site: Site) -> Iterator[Blow]:
    """The name that the DNS gives the endpoint of one Pod, made of its address."""
    for named in _named(site):
        if named.url and not named.pod:
            target = f"ConfigMap/{named.key.config_map} {named.key.key}"
            yield Blow(target, (named.key.key,), _writing_endpoint(named))


def _writing_endpoint(named: Named) -> Act:
    def act(hands: Hands) -> None:
        namespace, service = named.service(hands.namespace)
        selector = hands.read("Service", service, namespace)["spec"]["selector"]
        address = addresses_of(hands.pods(selector, namespace)[0])[0]
        host = f"{address.replace('.', '-')}.{service}.{namespace}.svc.cluster.local"
        hands.edit("ConfigMap", named.key.config_map, put(("data", named.key.key), named.with_host(host)))

    return act


def _aliases(site: Site) -> Iterator[Blow]:
    """An alias of a name that is made of the clusterIP, where the aim is a Service of the cluster."""
    for service in site.mine:
        aim = str(service.spec.get("externalName") or "").split(".")
        if len(aim) > 2 and aim[2] == "svc":
            yield Blow(service.title, (service.name, "externalName"), _aliasing(service.name, aim[0], aim[1]))


def _aliasing(alias: str, service: str, namespace: str) -> Act:
    def act(hands: Hands) -> None:
        address = str(hands.read("Service", service, namespace)["spec"]["clusterIP"])
        name = f"{address.replace('.', '-')}.{namespace}.pod.cluster.local"
        hands.edit("Service", alias, put(("spec", "externalName"), name))

    return act


CLAUSE = "it is a name, not an address"
OPERATORS = (
    Operator("address-literal", CLAUSE, _written(_literal, urls_only=False)),
    Operator("pod-style-name", CLAUSE, _written(_pod_style, urls_only=False)),
    Operator("decimal-address", CLAUSE, _written(_decimal, urls_only=True)),
    Operator("hexadecimal-address", CLAUSE, _written(_hexadecimal, urls_only=True)),
    Operator("endpoint-name", CLAUSE, _endpoint_names),
    Operator("alias-of-an-address", CLAUSE, _aliases),
)
