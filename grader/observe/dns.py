"""Ask DNS questions by `dig` at a vantage, and read its answer."""

from __future__ import annotations

import json
import re
import shlex

from grader.model.dnsnames import full_name
from grader.model.evidence import DnsAnswer, DnsQuestion, Outcome
from grader.observe.carriers import Carrier, RejectionError, SilenceError

_STATUS = re.compile(r"HEADER<<- .*status: (\w+)")
SECONDS = 2.5  # longer than dig's two tries of 1 s, so that its own words come back


def ask_dns(carrier: Carrier, question: DnsQuestion, namespace: str) -> DnsAnswer:
    """Ask one question. Raises CarrierError where the vantage cannot be used, ClusterUnreachable.

    A name without a trailing dot is first asked in full: where that has no records, the search list need not be
    walked through to the world outside, and the full name's answer stands.
    """
    if not question.name.endswith("."):
        full = full_name(question.name, namespace)
        first = _dig(carrier, question, f"{shlex.quote(full)}")
        if first.outcome is not Outcome.ANSWERED or not first.records:
            return first
        return _dig(carrier, question, f"+search {shlex.quote(question.name)}")
    return _dig(carrier, question, shlex.quote(question.name))


def _dig(carrier: Carrier, question: DnsQuestion, name: str) -> DnsAnswer:
    command = f"dig +time=1 +tries=2 {name} {shlex.quote(question.type)}"
    try:
        body = carrier.get("shell", {"cmd": command}, SECONDS)
    except (SilenceError, RejectionError):
        return DnsAnswer(question, Outcome.TIMEOUT)
    return parse_dig(question, str(json.loads(body).get("output", "")))


def parse_dig(question: DnsQuestion, text: str) -> DnsAnswer:
    """Read dig's default output: the response code of the header and the records of the asked type."""
    status = _STATUS.findall(text)
    if not status:
        return DnsAnswer(question, Outcome.TIMEOUT)
    records: list[tuple[str, str]] = []
    section = ""
    for line in text.splitlines():
        if line.startswith(";;"):
            section = line
        elif line and not line.startswith(";") and section.startswith(";; ANSWER SECTION"):
            fields = line.split(None, 4)
            if len(fields) == 5 and fields[3] == question.type:
                records.append((fields[0], fields[4].strip()))
    owner = records[0][0] if records else ""
    return DnsAnswer(question, Outcome.ANSWERED, status[-1], tuple(sorted({data for _, data in records})), owner)
