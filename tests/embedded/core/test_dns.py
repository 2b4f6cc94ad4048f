"""The zone's answers, as measured on kind v1.36.3 with CoreDNS 1.14.2 for the same objects."""

from __future__ import annotations

import ipaddress
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.embedded.core.dns import Zone
from grader.embedded.core.dnsnames import address_of_reverse
from grader.embedded.core.dnsrecords import Record
from grader.embedded.core.index import Index
from grader.embedded.core.store import Obj, Store

POD = "10.244.1.21"


def service(name: str, **spec: Any) -> Obj:
    ports = [{"name": "", "port": 80, "protocol": "TCP"}]
    body = {"type": "ClusterIP", "ports": ports, "clusterIPs": [spec.get("clusterIP")], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "world"}, "spec": body}


def slice_(service_name: str, ports: list[Obj] | None, *endpoints: Obj) -> Obj:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{service_name}-abcde",
            "namespace": "world",
            "labels": {"kubernetes.io/service-name": service_name},
        },
        "addressType": "IPv4",
        "endpoints": [*endpoints],
        "ports": ports,
    }


@pytest.fixture
def zone(store: Store) -> Zone:
    return Zone(Index(store))


@pytest.fixture
def store() -> Store:
    store = Store(lambda: 0.0)
    for name in ("world", "default", "kube-system"):
        store.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    http = [{"name": "http", "port": 80, "protocol": "TCP"}]
    two = [{"name": "a", "port": 80, "protocol": "TCP"}, {"name": "b", "port": 81, "protocol": "TCP"}]
    for obj in (
        service("np", clusterIP="10.96.15.131", type="NodePort"),
        service("named", clusterIP="10.96.5.1", ports=two),
        service("lbnone", clusterIP="10.96.219.175", type="LoadBalancer"),
        service("head", clusterIP="None", ports=http),
        service("headnone", clusterIP="None", ports=http),
        service("headnoport", clusterIP="None", ports=[]),
        service("publish", clusterIP="None", ports=http),
        service("ext", type="ExternalName", externalName="example.com"),
        service("extin", type="ExternalName", externalName="np.world.svc.cluster.local"),
        service("extbad", type="ExternalName", externalName="nosuch.world.svc.cluster.local"),
        service("extip", type="ExternalName", externalName="1.2.3.4"),
        service("extself", type="ExternalName", externalName="db.extself.world.svc.cluster.local"),
        service("extrev", type="ExternalName", externalName="ns.dns.in-addr.arpa"),
        service("far", clusterIP="None", ports=http),
        service("six", clusterIP="None", ports=http),
        service("loop", type="ExternalName", externalName="loop2.world.svc.cluster.local"),
        service("loop2", type="ExternalName", externalName="loop.world.svc.cluster.local"),
    ):
        store.create("services", obj)
    dns = service("kube-dns", clusterIP="10.96.0.10")
    dns["metadata"]["namespace"] = "kube-system"
    store.create("services", dns)
    ready = {"addresses": [POD], "conditions": {"ready": True}}
    unready = {"addresses": ["10.244.2.9"], "conditions": {"ready": False, "serving": False}}
    named = {"addresses": ["10.244.2.8"], "conditions": {}, "hostname": "db-0"}
    port = [{"name": "http", "port": 8080, "protocol": "TCP"}]
    for obj in (
        slice_("np", [{"name": "", "port": 8080, "protocol": "TCP"}], ready, named),
        slice_("head", port, ready, unready),
        slice_("headnone", None, unready),
        slice_("headnoport", None, ready),
        slice_("far", port, {"addresses": ["far.example.com"]}),
        slice_("six", port, {"addresses": ["2001:db8::"]}, {"addresses": ["FD00::AB"]}),
    ):
        store.create("endpointslices", obj)
    return store


@pytest.mark.parametrize(
    ("name", "type_", "rcode", "answers"),
    [
        ("np.world.svc.cluster.local", "A", "NOERROR", ["A 10.96.15.131"]),
        ("NP.World.svc.cluster.local", "A", "NOERROR", ["A 10.96.15.131"]),
        ("np.world.svc.cluster.local", "AAAA", "NOERROR", []),
        ("np.world.svc.cluster.local", "SRV", "NOERROR", ["SRV 0 100 80 np.world.svc.cluster.local."]),
        ("np.world.svc.cluster.local", "TXT", "NOERROR", []),
        ("np.world.svc.cluster.local", "MX", "NOERROR", []),
        ("np.world.svc.cluster.local", "CNAME", "NOERROR", []),
        ("_http._tcp.np.world.svc.cluster.local", "SRV", "NXDOMAIN", []),
        ("_a._tcp.named.world.svc.cluster.local", "SRV", "NOERROR", ["SRV 0 100 80 named.world.svc.cluster.local."]),
        ("_a._udp.named.world.svc.cluster.local", "SRV", "NXDOMAIN", []),
        ("a.tcp.named.world.svc.cluster.local", "A", "NOERROR", ["A 10.96.5.1"]),
        (
            "named.world.svc.cluster.local",
            "SRV",
            "NOERROR",
            ["SRV 0 50 80 named.world.svc.cluster.local.", "SRV 0 50 81 named.world.svc.cluster.local."],
        ),
        ("lbnone.world.svc.cluster.local", "A", "NOERROR", ["A 10.96.219.175"]),
        ("head.world.svc.cluster.local", "A", "NOERROR", [f"A {POD}"]),
        ("head.world.svc.cluster.local", "AAAA", "NOERROR", []),
        (
            "_http._tcp.head.world.svc.cluster.local",
            "SRV",
            "NOERROR",
            ["SRV 0 100 8080 10-244-1-21.head.world.svc.cluster.local."],
        ),
        ("10-244-1-21.head.world.svc.cluster.local", "A", "NOERROR", [f"A {POD}"]),
        ("10-244-2-9.head.world.svc.cluster.local", "A", "NXDOMAIN", []),
        ("10-244-1-21.np.world.svc.cluster.local", "A", "NOERROR", [f"A {POD}"]),
        ("db-0.np.world.svc.cluster.local", "A", "NOERROR", ["A 10.244.2.8"]),
        ("web-7fb4d8644d-4jpjz.head.world.svc.cluster.local", "A", "NXDOMAIN", []),
        ("headnone.world.svc.cluster.local", "A", "NXDOMAIN", []),
        ("headnoport.world.svc.cluster.local", "A", "NOERROR", [f"A {POD}"]),
        ("headnoport.world.svc.cluster.local", "SRV", "NOERROR", []),
        ("ext.world.svc.cluster.local", "A", "NOERROR", ["CNAME example.com."]),
        ("ext.world.svc.cluster.local", "CNAME", "NOERROR", ["CNAME example.com."]),
        ("ext.world.svc.cluster.local", "SRV", "NOERROR", []),
        (
            "extin.world.svc.cluster.local",
            "A",
            "NOERROR",
            ["CNAME np.world.svc.cluster.local.", "A 10.96.15.131"],
        ),
        ("extin.world.svc.cluster.local", "AAAA", "NOERROR", []),
        ("extbad.world.svc.cluster.local", "A", "NOERROR", []),
        ("extbad.world.svc.cluster.local", "CNAME", "NOERROR", ["CNAME nosuch.world.svc.cluster.local."]),
        ("extip.world.svc.cluster.local", "A", "NXDOMAIN", []),
        ("loop.world.svc.cluster.local", "A", "NOERROR", []),
        ("nosuch.world.svc.cluster.local", "A", "NXDOMAIN", []),
        ("nosuch.nons.svc.cluster.local", "A", "NXDOMAIN", []),
        ("world.svc.cluster.local", "A", "NOERROR", []),
        ("nons.svc.cluster.local", "A", "NXDOMAIN", []),
        ("svc.cluster.local", "A", "NOERROR", []),
        ("cluster.local", "A", "NOERROR", []),
        ("cluster.local", "NS", "NOERROR", ["NS kube-dns.kube-system.svc.cluster.local."]),
        ("cluster.local", "TXT", "NXDOMAIN", []),
        ("dns-version.cluster.local", "TXT", "NOERROR", ['TXT "1.1.0"']),
        ("dns-version.cluster.local", "A", "NXDOMAIN", []),
        ("foo.cluster.local", "A", "NXDOMAIN", []),
        ("ns.dns.cluster.local", "A", "NOERROR", ["A 10.96.0.10"]),
        ("10-244-1-5.world.pod.cluster.local", "A", "NOERROR", ["A 10.244.1.5"]),
        ("nope.world.pod.cluster.local", "A", "NXDOMAIN", []),
        ("world.pod.cluster.local", "A", "NOERROR", []),
        ("a.b.c.np.world.svc.cluster.local", "A", "NXDOMAIN", []),
        ("131.15.96.10.in-addr.arpa", "PTR", "NOERROR", ["PTR np.world.svc.cluster.local."]),
        # A SOA is only at the zone's own name; of any other name nothing is said, not even that it does not exist.
        ("nosuch.world.svc.cluster.local", "SOA", "NOERROR", []),
        ("world.svc.cluster.local", "SOA", "NOERROR", []),
        # ns.go isDefaultNS: of the name server there are addresses; PTR and TXT do not know it.
        ("ns.dns.cluster.local", "SRV", "NOERROR", []),
        ("ns.dns.cluster.local", "MX", "NOERROR", []),
        ("ns.dns.cluster.local", "AAAA", "NOERROR", []),
        ("ns.dns.cluster.local", "PTR", "NXDOMAIN", []),
        ("ns.dns.cluster.local", "TXT", "NXDOMAIN", []),
        ("dns.cluster.local", "A", "NXDOMAIN", []),
        # The reverse zones are zones like cluster.local, with the same names but those of namespaces.
        ("in-addr.arpa", "A", "NOERROR", []),
        ("in-addr.arpa", "NS", "NOERROR", ["NS kube-dns.kube-system.svc.in-addr.arpa."]),
        ("svc.ip6.arpa", "MX", "NOERROR", []),
        ("ns.dns.ip6.arpa", "A", "NOERROR", ["A 10.96.0.10"]),
        ("dns-version.ip6.arpa", "TXT", "NOERROR", ['TXT "1.1.0"']),
        ("1.1.1.1.in-addr.arpa", "SOA", "NOERROR", []),
        # net.ParseIP: IPv4 written as IPv6 is IPv4, and there are no scopes.
        ("--ffff-a00-1.world.pod.cluster.local", "A", "NOERROR", ["A 10.0.0.1"]),
        ("--ffff-a00-1.world.pod.cluster.local", "AAAA", "NOERROR", []),
        ("fe80--1%eth0.world.pod.cluster.local", "AAAA", "NXDOMAIN", []),
        ("FD00--AB.world.pod.cluster.local", "AAAA", "NOERROR", ["AAAA fd00::ab"]),
        # What stands before a Pod's name is ignored (kubernetes.go findPods).
        ("_a._b.10-244-1-5.world.pod.cluster.local", "A", "NOERROR", ["A 10.244.1.5"]),
        # backend_lookup.go: a name under the Service itself counts as a loop; one in another zone is looked up there.
        ("extself.world.svc.cluster.local", "A", "NOERROR", []),
        ("extrev.world.svc.cluster.local", "A", "NOERROR", ["CNAME ns.dns.in-addr.arpa.", "A 10.96.0.10"]),
        # Endpoints that are names (addressType FQDN) are aliases, and have no SRV record.
        ("far.world.svc.cluster.local", "A", "NOERROR", ["CNAME far.example.com."]),
        ("far-example-com.far.world.svc.cluster.local", "CNAME", "NOERROR", ["CNAME far.example.com."]),
        ("far.world.svc.cluster.local", "SRV", "NOERROR", []),
        # kubernetes.go endpointHostname, reverse.go: the address as it was written, but a 0 at its end.
        ("2001-db8--0.six.world.svc.cluster.local", "AAAA", "NOERROR", ["AAAA 2001:db8::"]),
        ("fd00--ab.six.world.svc.cluster.local", "AAAA", "NOERROR", ["AAAA fd00::ab"]),
        # parse.go: an underscore alone is no port, so any.
        ("_._tcp.np.world.svc.cluster.local", "SRV", "NOERROR", ["SRV 0 100 80 np.world.svc.cluster.local."]),
        # A dot behind a backslash is part of a label.
        (r"np\.world.svc.cluster.local", "A", "NXDOMAIN", []),
        ("example.com", "A", "SERVFAIL", []),
        ("np", "A", "SERVFAIL", []),
        ("np.world", "A", "SERVFAIL", []),
    ],
)
def test_answers_are_those_of_coredns(zone: Zone, name: str, type_: str, rcode: str, answers: list[str]) -> None:
    reply = zone.query(name, type_)
    assert (reply.rcode, [f"{record.type} {record.data}" for record in reply.answers]) == (rcode, answers)
    negative = not answers and rcode != "SERVFAIL"
    assert [record.type for record in reply.authority] == (["SOA"] if negative else [])
    assert all(record.ttl == 30 for record in reply.answers)


def test_an_endpoint_of_several_services_has_a_ptr_for_each(zone: Zone) -> None:
    names = {record.data for record in zone.query("21.1.244.10.in-addr.arpa", "PTR").answers}
    assert names == {f"10-244-1-21.{name}.world.svc.cluster.local." for name in ("np", "head", "headnoport")}


def test_srv_brings_the_addresses_of_its_targets(zone: Zone) -> None:
    reply = zone.query("head.world.svc.cluster.local", "SRV")
    assert [(r.name, r.data) for r in reply.additional] == [("10-244-1-21.head.world.svc.cluster.local.", POD)]


def test_the_zone_keeps_the_case_in_which_it_is_asked_for(zone: Zone) -> None:
    """CoreDNS plugin/kubernetes/handler.go: "maintain case of original query"; ns.go compares it with lower case."""
    name = "NP.World.svc.Cluster.LOCAL."
    found = zone.query(name, "SRV")
    assert found.answers == (Record(name, "SRV", 30, "0 100 80 np.world.svc.Cluster.LOCAL."),)
    assert found.additional == (Record("np.world.svc.Cluster.LOCAL.", "A", 30, "10.96.15.131"),)
    assert zone.query(name, "AAAA").authority[0].name == "Cluster.LOCAL."
    assert zone.query("Cluster.LOCAL.", "SOA").answers[0].name == "Cluster.LOCAL."
    assert not zone.query("Cluster.LOCAL.", "NS").answers
    assert zone.query("NS.dns.cluster.local.", "A").answers
    assert zone.query("ns.dns.Cluster.LOCAL.", "A").rcode == "NXDOMAIN"


def test_what_the_reverse_zones_do_not_hold_is_asked_upstream(zone: Zone) -> None:
    """`fallthrough in-addr.arpa ip6.arpa`; resolvers answer for private addresses themselves (RFC 6303)."""
    for name in ("1.1.1.1.in-addr.arpa.", "1.1.1.in-addr.arpa.", "world.svc.in-addr.arpa.", "1.ip6.arpa."):
        reply = zone.query(name, "PTR")
        assert (reply.rcode, reply.authoritative, reply.authority, reply.forwarded) == ("NXDOMAIN", False, (), True)
    assert not zone.query("cluster.local.", "AXFR").forwarded


def test_an_ip6_name_is_read_in_groups_of_four_and_the_rest_ignored() -> None:
    """CoreDNS plugin/pkg/dnsutil/reverse.go reverse6."""
    name = f"{ipaddress.ip_address('fd00::1').reverse_pointer}."
    assert address_of_reverse(name) == "fd00::1"
    assert address_of_reverse(f"a.b.{name}") == "fd00::1"
    assert address_of_reverse(name.partition(".")[2]) is None
    mapped = f"{ipaddress.ip_address('::ffff:10.0.0.1').reverse_pointer}."
    assert address_of_reverse(mapped) == "10.0.0.1"


@settings(deadline=None)
@given(st.text("abc-_.x0", max_size=40), st.sampled_from(["A", "AAAA", "SRV", "PTR", "TXT", "CNAME", "NS", "SOA"]))
def test_no_name_breaks_the_zone(prefix: str, type_: str) -> None:
    store = Store(lambda: 0.0)
    reply = Zone(Index(store)).query(f"{prefix}.cluster.local.", type_)
    assert reply.rcode in ("NOERROR", "NXDOMAIN")


@settings(deadline=None)
@given(st.ip_addresses())
def test_reverse_names_are_read_back(ip: Any) -> None:
    assert address_of_reverse(f"{ip.reverse_pointer}.") == str(getattr(ip, "ipv4_mapped", None) or ip)


def test_the_addresses_of_an_answer_come_in_any_order_where_the_zone_balances(store: Store) -> None:
    ready: list[Obj] = [{"addresses": [f"10.244.1.{n}"], "conditions": {"ready": True}} for n in (5, 6, 7)]
    store.create("services", service("many", clusterIP="None"))
    store.create("endpointslices", slice_("many", None, *ready))
    plain, balanced = Zone(Index(store)), Zone(Index(store), Random(1))
    name = "many.world.svc.cluster.local."
    assert len({plain.query(name, "A").answers for _ in range(20)}) == 1
    orders = {balanced.query(name, "A").answers for _ in range(20)}
    assert len(orders) > 1
    assert {frozenset(order) for order in orders} == {frozenset(plain.query(name, "A").answers)}
    alias = balanced.query("extin.world.svc.cluster.local.", "A")
    assert [record.type for record in alias.answers] == ["CNAME", "A"]
