"""Ask who answers at an address: by agnhost's `/dial` at a vantage, or from this very process.

`/dial` opens a fresh connection for each try. Its source is test/images/agnhost/netexec/netexec.go of Kubernetes 1.36:
it leaves all responses out of its answer where the last try failed, and waits 5 s for each try; so the first try goes
alone, and a batch follows only where it was answered. It resolves a name once, before its tries: a name that may stand
for several addresses is asked in single tries.
"""

from __future__ import annotations

import http.client
import json
import re
import shlex
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from grader.model.dnsnames import CLUSTER_DOMAIN
from grader.model.evidence import Outcome, ReachAnswer, ReachQuestion
from grader.observe.carriers import Carrier, CarrierError, RejectionError, SilenceError

# What answers, answers in milliseconds; longer is waited where waiting has begun (workflow/check.py PATIENCE).
FIRST_SECONDS = 0.35
# For the whole batch of an address that has just answered, below the 5 s that `/dial` gives each try.
BATCH_SECONDS = 4.0
LEAST_BATCH_SECONDS = 1.5  # where the network is in the API server's own process
ALIVE_SECONDS = 3.0  # a vantage that does not answer about itself within this is what is broken, not what it asks
RESOLVE_SECONDS = 12.0  # for a whole search list, whose domains dig asks for up to 2 s each
SLOW_MILLISECONDS = 300  # in a cluster names resolve in single milliseconds; DNS asks again only after seconds
SLOW_NAME_SECONDS = 14.0  # two domains that nobody answers for, each asked twice for 2 s, and the connection
_ADDRESS = re.compile(r"[0-9.]+|.*:.*")
_HOSTNAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_CLIENT = re.compile(r"(?P<address>[0-9.]+):[0-9]+")

Try = tuple[Outcome, str]
"""How one connection ended, with the host name that answered or the text of the failure."""
Fetch = Callable[[str, int, float], bytes]
"""GET /hostname of a host's port within so many seconds."""


def ask_reach(
    carrier: Carrier,
    question: ReachQuestion,
    first_seconds: float = FIRST_SECONDS,
    batch_seconds: float = BATCH_SECONDS,
    *,
    telling_names: bool = True,
) -> ReachAnswer:
    """Ask until all that are wanted have answered, a try failed, or the bound is reached.

    The first try may take `first_seconds`: short while kube-proxy is still programming, because a connection that was
    begun too early hangs for a second, and the next one is answered at once. A batch may take `batch_seconds`.
    Whether silence comes of a name without an address is looked up where `telling_names`: that takes seconds.

    Raises CarrierError where the vantage cannot be used, ClusterUnreachable.
    """
    first = True

    def dial(tries: int) -> list[Try]:
        nonlocal first
        query = {
            "request": question.request,
            "protocol": "http",
            "host": question.host,
            "port": str(question.port),
            "tries": str(tries),
        }
        seconds = first_seconds if first else batch_seconds
        first = False
        try:
            return read_dial(carrier.get("dial", query, seconds), tries)
        except RejectionError as error:
            return [(Outcome.NAME_ERROR, str(error))]
        except SilenceError:
            return [(Outcome.TIMEOUT, f"{seconds:g} s")]

    answer = collect(question, dial)
    if answer.outcome is Outcome.TIMEOUT:
        try:
            carrier.get("hostname", {}, ALIVE_SECONDS)  # the control: the vantage itself is there
        except (SilenceError, RejectionError) as error:
            raise CarrierError("probe-silent", vantage=question.vantage) from error
        if telling_names and not answer.responders:
            match found_by(carrier, question.host):
                case Found.NOWHERE:
                    return replace(answer, outcome=Outcome.NAME_ERROR)
                case Found.LATE:
                    first_seconds = batch_seconds = max(SLOW_NAME_SECONDS, batch_seconds)
                    first = True
                    return collect(question, dial)
    return answer


class Found(Enum):
    """How a name leads to an address."""

    NOWHERE = "nowhere"  # it has none
    LATE = "late"  # after a name in the world outside that nobody answers for
    UNKNOWN = "unknown"  # there is an address, or the cluster's DNS is silent


def found_by(carrier: Carrier, host: str) -> Found:
    """Look how a name leads to an address, as the search list of a Pod completes it.

    A resolver asks the world outside too: for the domains that the node's resolv.conf lists, and for the name itself.
    CoreDNS takes 2 s to give up on what nobody there answers, and a resolver asks twice: longer than a connection may
    take, so a wrong name looks like a silent server, and so does a right one behind such a domain. The cluster's own
    domain must answer that the name is not there; what the world outside leaves unanswered has no address.
    """
    if _ADDRESS.fullmatch(host):
        return Found.UNKNOWN
    name = shlex.quote(host.rstrip("."))
    if host.endswith("."):
        if not host.lower().endswith(f".{CLUSTER_DOMAIN}."):
            return Found.NOWHERE
        command = f"echo asked; {_dig(f'{name}.', tries=2)}"
    else:
        command = (
            "for domain in $(grep ^search /etc/resolv.conf | cut -d ' ' -f 2-) ''; do case $domain in "
            f"*{CLUSTER_DOMAIN}) echo asked; {_dig(f'{name}.$domain.', tries=2)} || break;; "
            f"*) echo outside; {_dig(f'{name}.$domain', tries=1)} | grep -E '^(A|time:)';; esac; done"
        )
    try:
        body = carrier.get("shell", {"cmd": command}, RESOLVE_SECONDS)
    except (SilenceError, RejectionError):
        return Found.UNKNOWN
    return _read_found(str(json.loads(body).get("output", "")))


def _read_found(printed: str) -> Found:
    inside, *outside = printed.split("outside")
    words = inside.split()
    if "A" in words or "asked" not in words or words.count("status:") != words.count("asked"):
        return Found.UNKNOWN
    late = False
    for part in outside:
        if "A" in part.split():
            return Found.LATE if late else Found.UNKNOWN
        took = [int(number) for number in re.findall(r"time: ([0-9]+)", part)]
        late = late or not took or max(took) > SLOW_MILLISECONDS
    return Found.NOWHERE


def _dig(name: str, tries: int) -> str:
    """Write a command that prints the response code and time if there is an answer, and "A" for each address in it."""
    return f"dig +time=2 +tries={tries} {name} | grep -v '^;[^;]' | grep -owE 'status: [A-Z]*|time: [0-9]+|A'"


def ask_from_here(
    question: ReachQuestion, first_seconds: float = FIRST_SECONDS, fetch: Fetch | None = None
) -> ReachAnswer:
    """Ask from this process, which is on the learner's host; `fetch`: in another way than over a socket."""

    def dial(tries: int) -> list[Try]:
        return [_tried(fetch or _fetch, question.host, question.port, first_seconds) for _ in range(tries)]

    return collect(question, dial)


def collect(question: ReachQuestion, dial: Callable[[int], list[Try]]) -> ReachAnswer:
    """Gather tries, one first and then batches, into an answer."""
    want = set(question.want)
    responders: Counter[str] = Counter()
    tries, batch = 0, 1
    while tries < question.bound:
        results = dial(min(batch, question.bound - tries))
        tries += len(results)
        responders.update(text for outcome, text in results if outcome is Outcome.ANSWERED)
        for outcome, text in results:
            if outcome is not Outcome.ANSWERED:
                return ReachAnswer(question, outcome, dict(sorted(responders.items())), tries, text)
        if not want.issuperset(responders) and want:
            break
        if want and want.issubset(responders) and tries > len(want) and tries >= question.least:
            break
        batch = 1 if question.least > 1 else 2 * len(want) + 2 if want else question.bound
    return ReachAnswer(question, Outcome.ANSWERED, dict(sorted(responders.items())), tries)


def read_dial(body: bytes, tries: int) -> list[Try]:
    """Read `/dial`'s JSON: one result a try; responses it left out are not counted."""
    data = json.loads(body)
    responses = [_response(text) for text in data.get("responses") or ()]
    errors = [(classify(text), text) for text in data.get("errors") or ()]
    # An empty body is an answer that is no host name; the JSON then shows neither response nor error.
    missing = [] if responses or errors else [(Outcome.BAD_RESPONSE, "")] * tries
    return [*responses, *errors, *missing]


def classify(error: str) -> Outcome:
    """Tell kinds of failure apart by the words of Go's net package (net/net.go, syscall errors)."""
    if "connection refused" in error or "connection reset" in error:
        return Outcome.REFUSED
    if "no such host" in error or "server misbehaving" in error:
        return Outcome.NAME_ERROR
    if any(words in error for words in ("deadline exceeded", "timeout", "no route to host", "unreachable")):
        return Outcome.TIMEOUT
    return Outcome.BAD_RESPONSE


def _response(text: str) -> Try:
    if address := _CLIENT.fullmatch(text):
        return Outcome.ANSWERED, address["address"]
    if _HOSTNAME.fullmatch(text):
        return Outcome.ANSWERED, text
    return Outcome.BAD_RESPONSE, text[:120]


def _tried(fetch: Fetch, host: str, port: int, seconds: float) -> Try:
    try:
        return _response(fetch(host, port, seconds).decode(errors="replace"))
    except (ConnectionRefusedError, ConnectionResetError) as error:
        return Outcome.REFUSED, str(error)
    except TimeoutError as error:
        return Outcome.TIMEOUT, str(error)
    except http.client.RemoteDisconnected as error:  # a port mapping that takes the connection and finds nobody
        return Outcome.REFUSED, str(error)
    except (OSError, http.client.HTTPException) as error:
        return Outcome.BAD_RESPONSE, str(error)


def _fetch(host: str, port: int, seconds: float) -> bytes:
    """Make one request over a connection of its own. Raises OSError, HTTPException."""
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    try:
        connection.request("GET", "/hostname", headers={"Connection": "close"})
        return connection.getresponse().read(512)
    finally:
        connection.close()
