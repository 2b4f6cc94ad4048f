"""Who answered is read from agnhost's `/dial`, and kinds of failure are told apart."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from grader.model.evidence import Outcome, ReachQuestion
from grader.observe.carriers import CarrierError, RejectionError, SilenceError
from grader.observe.reach import Try, ask_from_here, ask_reach, classify, collect, read_dial

# As agnhost 2.63 writes them (Go 1.25).
GET = 'Get "http://10.0.0.1:81/hostname": '
ERRORS = {
    GET + "dial tcp 10.0.0.1:81: connect: connection refused": Outcome.REFUSED,
    GET + "read tcp 1.1.1.1:2->3.3.3.3:4: read: connection reset by peer": Outcome.REFUSED,
    GET + "context deadline exceeded (Client.Timeout exceeded while awaiting headers)": Outcome.TIMEOUT,
    GET + "dial tcp 10.0.0.1:81: i/o timeout": Outcome.TIMEOUT,
    GET + "dial tcp 10.0.0.1:81: connect: no route to host": Outcome.TIMEOUT,
    "lookup nobody on 10.96.0.10:53: no such host": Outcome.NAME_ERROR,
    GET + "EOF": Outcome.BAD_RESPONSE,
    GET + "net/http: HTTP/1.x transport connection broken: malformed": Outcome.BAD_RESPONSE,
}


@pytest.mark.parametrize(("error", "outcome"), ERRORS.items())
def test_failures_are_told_apart(error: str, outcome: Outcome) -> None:
    assert classify(error) is outcome


def test_an_answer_that_is_no_host_name_is_a_bad_response() -> None:
    body = json.dumps({"responses": ["backend-1", "404 page not found\n"]}).encode()
    assert [outcome for outcome, _ in read_dial(body, 2)] == [Outcome.ANSWERED, Outcome.BAD_RESPONSE]
    assert read_dial(b"{}", 1) == [(Outcome.BAD_RESPONSE, "")]


def asked(want: tuple[str, ...], answers: Iterator[str], bound: int = 39) -> tuple[Outcome, dict[str, int], int]:
    def dial(tries: int) -> list[Try]:
        return [(Outcome.ANSWERED, next(answers)) for _ in range(tries)]

    answer = collect(ReachQuestion("v", "h", 80, want, bound), dial)
    return answer.outcome, dict(answer.responders), answer.tries


def cycle(*names: str) -> Iterator[str]:
    while True:
        yield from names


def test_asking_ends_when_all_that_are_wanted_have_answered() -> None:
    outcome, responders, tries = asked(("a", "b", "c"), cycle("a", "b", "c"))
    assert (outcome, set(responders), tries) == (Outcome.ANSWERED, {"a", "b", "c"}, 9)


def test_asking_goes_to_the_bound_where_one_never_answers() -> None:
    assert asked(("a", "b", "c"), cycle("a", "b"))[2] == 39


def test_asking_ends_at_once_when_a_stranger_answers() -> None:
    assert asked(("a", "b", "c"), cycle("x"))[1:] == ({"x": 1}, 1)


def test_a_name_is_looked_up_anew_for_each_of_the_fewest_tries() -> None:
    batches: list[int] = []
    answers = cycle("a")

    def dial(tries: int) -> list[Try]:
        batches.append(tries)
        return [(Outcome.ANSWERED, next(answers)) for _ in range(tries)]

    collect(ReachQuestion("v", "h", 80, ("a",), 31, least=5), dial)
    assert batches == [1, 1, 1, 1, 1]
    batches.clear()
    collect(ReachQuestion("v", "h", 80, ("a", "b"), 20, least=3), dial)
    assert batches == [1] * 20


def test_a_stranger_among_the_addresses_of_a_name_is_seen() -> None:
    answers = cycle("a", "a", "a", "x")
    answer = collect(
        ReachQuestion("v", "h", 80, ("a",), 31, least=12),
        lambda tries: [(Outcome.ANSWERED, next(answers)) for _ in range(tries)],
    )
    assert dict(answer.responders) == {"a": 3, "x": 1}


def test_a_failure_after_answers_is_the_outcome_and_keeps_who_answered() -> None:
    results = iter([[(Outcome.ANSWERED, "a")], [(Outcome.ANSWERED, "b"), (Outcome.REFUSED, "no")]])
    answer = collect(ReachQuestion("v", "h", 80, ("a", "b", "c"), 39), lambda tries: next(results))
    assert (answer.outcome, dict(answer.responders), answer.error) == (Outcome.REFUSED, {"a": 1, "b": 1}, "no")


class Carrier:
    """Answers `/dial` with a fixed body or error; its own `/hostname` may be dead; names are what dig says."""

    def __init__(self, dial: bytes | Exception, *, alive: bool = True) -> None:
        self.dial, self.alive = dial, alive
        self.timeouts: list[float] = []
        self.commands: list[str] = []
        self.names = "status: NOERROR\n"

    def get(self, path: str, query: Mapping[str, str], timeout: float) -> bytes:
        self.timeouts.append(timeout)
        if path == "hostname":
            if self.alive:
                return b"probe"
            raise SilenceError
        if path == "shell":
            self.commands.append(query["cmd"])
            return json.dumps({"output": self.names}).encode()
        if isinstance(self.dial, Exception):
            raise self.dial
        return self.dial


QUESTION = ReachQuestion("same-namespace", "backend", 80, ("a",), 31)


def test_silence_is_a_time_out_only_where_the_vantage_itself_answers() -> None:
    assert ask_reach(Carrier(SilenceError()), QUESTION).outcome is Outcome.TIMEOUT
    with pytest.raises(CarrierError) as caught:
        ask_reach(Carrier(SilenceError(), alive=False), QUESTION)
    assert caught.value.code == "probe-silent"


def test_a_name_that_cannot_be_resolved_is_told_from_silence() -> None:
    rejection = RejectionError("host and/or port param are invalid. lookup backend: no such host")
    assert ask_reach(Carrier(rejection), QUESTION).outcome is Outcome.NAME_ERROR


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("asked\nstatus: NXDOMAIN\n" * 3, Outcome.NAME_ERROR),
        ("asked\nstatus: NXDOMAIN\nasked\nstatus: NOERROR\nasked\nstatus: NXDOMAIN\n", Outcome.NAME_ERROR),  # an alias
        ("asked\nstatus: SERVFAIL\n", Outcome.NAME_ERROR),
        ("asked\nstatus: NOERROR\nA\nasked\nstatus: NXDOMAIN\n", Outcome.TIMEOUT),
        ("asked\nasked\nstatus: NXDOMAIN\n", Outcome.TIMEOUT),  # one question was lost
        ("", Outcome.TIMEOUT),
    ],
)
def test_silence_at_a_name_without_an_address_is_the_names_fault(said: str, outcome: Outcome) -> None:
    carrier = Carrier(SilenceError())
    carrier.names = said
    assert ask_reach(carrier, QUESTION).outcome is outcome
    assert "backend.$domain." in carrier.commands[0]


@pytest.mark.parametrize(
    ("outside", "seconds"),
    [
        ("outside\ntime: 1999\noutside\ntime: 1\nA\n", [0.35, 3.0, 12.0, 14.0]),
        ("outside\noutside\ntime: 1\nA\n", [0.35, 3.0, 12.0, 14.0]),  # it was not even refused
        ("outside\ntime: 3\noutside\ntime: 1\nA\n", [0.35, 3.0, 12.0]),  # the server itself is silent
    ],
)
def test_a_name_behind_a_domain_that_nobody_answers_for_is_given_time(outside: str, seconds: list[float]) -> None:
    carrier = Carrier(SilenceError())
    carrier.names = "asked\nstatus: NXDOMAIN\ntime: 1\n" * 3 + outside
    assert ask_reach(carrier, replace(QUESTION, host="backend.a.svc.cluster.local")).outcome is Outcome.TIMEOUT
    assert carrier.timeouts == seconds


def test_an_address_is_no_name_and_a_name_of_the_world_is_not_asked_for() -> None:
    carrier = Carrier(SilenceError())
    assert ask_reach(carrier, replace(QUESTION, host="10.96.0.9")).outcome is Outcome.TIMEOUT
    assert ask_reach(carrier, replace(QUESTION, host="backend.")).outcome is Outcome.NAME_ERROR
    assert carrier.commands == []


def test_the_first_try_goes_alone_and_may_take_as_long_as_it_is_told() -> None:
    carrier = Carrier(json.dumps({"responses": ["a"]}).encode())
    ask_reach(carrier, QUESTION, 1.2)
    assert carrier.timeouts[0] == 1.2


@contextmanager
def server(body: bytes) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield running.server_address[1]
        finally:
            running.shutdown()
            thread.join()


def test_the_learners_host_asks_over_sockets_of_its_own() -> None:
    with server(b"backend-1") as port:
        answer = ask_from_here(ReachQuestion("learner-host", "127.0.0.1", port, (), 3))
        assert (answer.outcome, dict(answer.responders)) == (Outcome.ANSWERED, {"backend-1": 3})
    assert ask_from_here(ReachQuestion("learner-host", "127.0.0.1", port, (), 3)).outcome is Outcome.REFUSED
    with server(b"<html>") as port:
        assert ask_from_here(ReachQuestion("learner-host", "127.0.0.1", port)).outcome is Outcome.BAD_RESPONSE


def test_a_port_that_takes_connections_and_says_nothing_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert ask_from_here(ReachQuestion("learner-host", "127.0.0.1", port), 0.05).outcome is Outcome.TIMEOUT
