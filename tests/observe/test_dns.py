"""What `dig` prints is read as response code and records, and short names are asked in full first."""

from __future__ import annotations

import json
from collections.abc import Mapping

from grader.model.dnsnames import full_name
from grader.model.evidence import DnsQuestion, Outcome
from grader.observe.carriers import SilenceError
from grader.observe.dns import ask_dns, parse_dig

HEAD = """
; <<>> DiG 9.18 <<>> {name} A
;; global options: +cmd
;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: {status}, id: 43902
;; flags: qr aa rd; QUERY: 1, ANSWER: {count}, AUTHORITY: 0, ADDITIONAL: 1

;; QUESTION SECTION:
;{name}\t\t\tIN\tA

"""
ANSWER = ";; ANSWER SECTION:\n{records}\n\n"
TAIL = ";; Query time: 1 msec\n;; SERVER: 10.96.0.10#53(10.96.0.10) (UDP)\n"
NAME = "backend.shop.svc.cluster.local."
SOA = ";; AUTHORITY SECTION:\ncluster.local.\t30\tIN\tSOA\tns.dns.cluster.local. hostmaster. 1 2 3 4 30\n\n"


def dig(*records: str, status: str = "NOERROR") -> str:
    head = HEAD.format(name=NAME, status=status, count=len(records))
    return head + (ANSWER.format(records="\n".join(records)) if records else SOA) + TAIL


def record(address: str, name: str = NAME) -> str:
    return f"{name}\t30\tIN\tA\t{address}"


QUESTION = DnsQuestion("same-namespace", NAME, "A")


def test_records_of_the_asked_type_are_read_sorted_and_once() -> None:
    alias = f"{NAME}\t30\tIN\tCNAME\tother."
    answer = parse_dig(QUESTION, dig(alias, record("10.0.0.2"), record("10.0.0.1"), record("10.0.0.2")))
    assert (answer.outcome, answer.rcode) == (Outcome.ANSWERED, "NOERROR")
    assert (answer.records, answer.owner) == (("10.0.0.1", "10.0.0.2"), NAME)


def test_no_records_and_no_such_name_are_told_apart() -> None:
    assert parse_dig(QUESTION, dig()).rcode == "NOERROR"
    answer = parse_dig(QUESTION, dig(status="NXDOMAIN"))
    assert (answer.outcome, answer.rcode, answer.records) == (Outcome.ANSWERED, "NXDOMAIN", ())


def test_no_answer_is_a_time_out() -> None:
    assert parse_dig(QUESTION, ";; communications error to 10.96.0.10#53: timed out\n").outcome is Outcome.TIMEOUT


class Shell:
    """Takes `/shell` commands and answers them in order."""

    def __init__(self, *outputs: str | Exception) -> None:
        self.outputs = list(outputs)
        self.commands: list[str] = []

    def get(self, path: str, query: Mapping[str, str], timeout: float) -> bytes:
        assert path == "shell"
        self.commands.append(query["cmd"])
        output = self.outputs.pop(0)
        if isinstance(output, Exception):
            raise output
        return json.dumps({"output": output}).encode()


def test_a_full_name_is_asked_as_it_is() -> None:
    shell = Shell(dig(record("10.0.0.1")))
    assert ask_dns(shell, QUESTION, "shop").records == ("10.0.0.1",)
    assert NAME in shell.commands[0]
    assert "+search" not in shell.commands[0]


def test_a_short_name_goes_through_the_search_list_once_its_full_name_is_there() -> None:
    short = DnsQuestion("same-namespace", "backend", "A")
    shell = Shell(dig(record("10.0.0.1")), dig(record("10.0.0.1")))
    assert ask_dns(shell, short, "shop").owner == NAME
    assert "+search backend" in shell.commands[1]
    missing = Shell(dig(status="NXDOMAIN"))
    assert ask_dns(missing, short, "shop").rcode == "NXDOMAIN"
    assert NAME in missing.commands[0]


def test_a_shell_that_does_not_come_back_is_a_time_out() -> None:
    assert ask_dns(Shell(SilenceError()), QUESTION, "shop").outcome is Outcome.TIMEOUT


def test_names_are_completed_as_the_search_list_would() -> None:
    whole = "backend.other.svc.cluster.local."
    assert full_name("backend", "shop") == NAME
    assert full_name("backend.other", "shop") == whole
    assert full_name("backend.other.svc", "shop") == whole
    assert full_name("example.com.", "shop") == "example.com."
