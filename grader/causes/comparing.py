"""How a question is asked of a Service of our own instead: from the same vantage, at an address of the same shape."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from grader.model.dnsnames import CLUSTER_DOMAIN
from grader.model.evidence import DnsQuestion, ReachQuestion
from grader.model.kubernetes import ingress_address, internal_ip, name_of
from grader.model.objects import Objects, RawObject
from grader.model.vantage import PROBE_NAMESPACE, At, Vantage, vantage_node


def shape_of(question: ReachQuestion, objects: Objects) -> At:
    """Tell at which kind of address a question is aimed; a Pod's own counts as a cluster IP."""
    if question.vantage == Vantage.LEARNER_HOST or question.host in map(internal_ip, objects.of("nodes")):
        return At.NODE_PORT
    if question.host in filter(None, map(ingress_address, objects.everywhere("services"))):
        return At.LOAD_BALANCER
    try:
        ip_address(question.host)
    except ValueError:
        return At.NAME
    return At.CLUSTER_IP


def own_vantage(vantage: str, objects: Objects) -> str:
    """Tell from where of our own a question is asked: nothing in the exercise's Namespaces acts on that client.

    For the exercise's own probe that is ours on the same node; every other vantage but the learner's host is our own.
    """
    if vantage == Vantage.SAME_NAMESPACE and (node := vantage_node(vantage, objects)):
        return f"node/{node}"
    inside = vantage in (Vantage.SAME_NAMESPACE, Vantage.LEARNER_HOST) or vantage.startswith("pod/")
    return Vantage.OTHER_NAMESPACE.value if inside else vantage


def compared(
    question: ReachQuestion,
    vantage: str,
    control: RawObject,
    objects: Objects,
    want: tuple[str, ...] = (),
    bound: int = 1,
) -> ReachQuestion | None:
    """Aim a question at a Service of our own instead; None where that has no address of this shape (yet).

    Args:
        question: what is asked of the learner's Service.
        vantage: from where.
        control: our own Service.
        objects: the objects of the exercise.
        want: who must answer.
        bound: most tries.
    """
    port = control["spec"]["ports"][0]
    host, number = "", int(port["port"])
    shape = shape_of(question, objects)
    if shape is At.LOAD_BALANCER and not ingress_address(control):  # none was asked for, or none is left
        shape = At.NODE_PORT
    match shape:
        case At.NAME:
            host = f"{name_of(control)}.{PROBE_NAMESPACE}"
        case At.CLUSTER_IP:
            host = str(control["spec"].get("clusterIP") or "")
        case At.LOAD_BALANCER:
            host = ingress_address(control)
        case At.NODE_PORT:
            nodes = [internal_ip(node) for node in sorted(objects.of("nodes"), key=name_of)]
            host = question.host if question.host in nodes else nodes[0] if nodes else ""
            number = int(port.get("nodePort") or 0)
    return ReachQuestion(vantage, host, number, want, bound) if host and number else None


def compared_name(question: DnsQuestion, vantage: str, control: RawObject) -> DnsQuestion:
    """Ask for the name of a Service of our own instead."""
    return DnsQuestion(vantage, f"{name_of(control)}.{PROBE_NAMESPACE}.svc.{CLUSTER_DOMAIN}.", "A")


def vantages_of(vantage: str, objects: Objects) -> tuple[str, ...]:
    """List from where our own Service is asked beside a question from a vantage."""
    own = own_vantage(vantage, objects)
    return (own, vantage) if vantage == Vantage.SAME_NAMESPACE else (own,)


def compared_all(
    questions: Iterable[ReachQuestion], control: RawObject, objects: Objects, want: tuple[str, ...], bound: int
) -> tuple[ReachQuestion, ...]:
    """Build the questions to our own Service that stand beside these; the same question is asked once."""
    return tuple(
        dict.fromkeys(
            found
            for question in questions
            for vantage in vantages_of(question.vantage, objects)
            if (found := compared(question, vantage, control, objects, want, bound))
        )
    )
