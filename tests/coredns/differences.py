"""Where the embedded DNS answers otherwise than CoreDNS, and why that is left."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from tests.coredns.asking import Answer, Question
from tests.coredns.manifests import STRAY

Shows = Callable[[Question, Answer, Answer], bool]
KNOWN: dict[str, tuple[Shows, str]] = {
    "endpoints-of-no-service": (
        lambda question, real, ours: (
            question.type == "PTR"
            and question.name.lower() == f"{ipaddress.ip_address(STRAY).reverse_pointer}."
            and "silent" in real
            and ours.get("rcode") == "NXDOMAIN"
        ),
        "CoreDNS 1.14 makes the name of an endpoint of a slice's label kubernetes.io/service-name; where there is none,"
        " the name has an empty label, the message cannot be packed, and nothing is sent (kubernetes/reverse.go)."
        " The embedded one leaves such endpoints out, as somebody who waits for an answer learns nothing.",
    ),
}
"""What tells each of them, and why it is left.

Not met here, since the test sees to it that it is not:

- the reverse zones are cached for up to 30 s by the Corefile of kubeadm, which excepts cluster.local alone; here
  neither of the two keeps an answer;
- a Service of somebody else's in front of the CoreDNS Pods is another name server of the zone (ns.go nsAddrs); the
  embedded one names kube-dns alone;
- a message that ends after the name in its question is a question of type 0 to miekg/dns; FORMERR to the embedded one.
"""


def known(question: Question, real: Answer, ours: Answer) -> str:
    """Name the known difference that these two answers show, "" where they show none."""
    return next((name for name, (shows, _) in KNOWN.items() if shows(question, real, ours)), "")
