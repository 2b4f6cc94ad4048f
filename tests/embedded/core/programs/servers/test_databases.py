"""redis and postgres: a port that accepts connections and answers a ping."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.embedded.core.programs.images import running as images
from grader.embedded.core.programs.servers.redis import Reply, answer, encode
from grader.embedded.core.programs.signals import SIGTERM
from tests.embedded.core.programs.fake_host import AGNHOST, FakeHost, Network

REDIS, POSTGRES = "redis:7", "postgres:16-alpine"


@pytest.fixture
def database(network: Network) -> FakeHost:
    return network.host("database", "10.244.2.6", POSTGRES_PASSWORD="secret")


def test_redis_answers_its_client(database: FakeHost, probe: FakeHost) -> None:
    database.start(REDIS)

    def ask(*words: str) -> tuple[int, str]:
        result = probe.run(REDIS, "redis-cli", "-h", "10.244.2.6", *words)
        return result.code, result.both

    assert ask("PING") == (0, "PONG\n")
    assert ask("set", "visits", "9") == (0, "OK\n")
    assert ask("incr", "visits") == (0, "10\n")
    assert ask("get", "visits") == (0, "10\n")
    assert ask("get", "nothing") == (0, "\n")
    assert ask("get")[0] == 1
    assert ask("nonsense", "x")[1].startswith("ERR unknown command 'nonsense', with args beginning with: 'x' ")
    piped = probe.run(REDIS, "redis-cli", "-h", "10.244.2.6", stdin="set a 1\nkeys *\n")
    assert piped.out == "OK\na\nvisits\n"


def test_redis_takes_inline_commands(database: FakeHost, probe: FakeHost) -> None:
    database.start(REDIS)
    said = probe.run(AGNHOST, "sh", "-c", "printf 'PING\\r\\nQUIT\\r\\n' | nc 10.244.2.6 6379")
    assert said.out == "+PONG\r\n+OK\r\n"


def test_redis_refuses_nobody_knows_and_ends_in_the_tools_own_words(database: FakeHost, probe: FakeHost) -> None:
    refused = probe.run(REDIS, "redis-cli", "-h", "10.244.2.6", "ping")
    assert (refused.code, refused.err) == (1, "Could not connect to Redis at 10.244.2.6:6379: Connection refused\n")
    unknown = probe.run(REDIS, "redis-cli", "-h", "nosuch", "ping")
    assert unknown.err == "Could not connect to Redis at nosuch:6379: Name or service not known\n"
    process = database.start(REDIS)
    process.kill(SIGTERM)
    database.kernel.run()
    assert process.exit_code == 0


@given(st.lists(st.binary(min_size=1), min_size=1, max_size=4), st.dictionaries(st.binary(), st.binary(), max_size=3))
def test_any_command_gets_a_reply_that_can_be_written(words: list[bytes], keys: dict[bytes, bytes]) -> None:
    reply: Reply = answer(keys, words)
    assert encode(reply).endswith(b"\r\n")


def test_postgres_says_that_it_is_ready(database: FakeHost, probe: FakeHost) -> None:
    waiting = probe.run(POSTGRES, "pg_isready", "-h", "10.244.2.6")
    assert (waiting.code, waiting.out) == (2, "10.244.2.6:5432 - no response\n")
    database.start(POSTGRES)
    ready = probe.run(POSTGRES, "pg_isready", "-h", "10.244.2.6")
    assert (ready.code, ready.out) == (0, "10.244.2.6:5432 - accepting connections\n")
    assert probe.run(AGNHOST, "nc", "-z", "10.244.2.6", "5432").code == 0


def test_postgres_needs_a_password_for_its_superuser(network: Network) -> None:
    process = network.host("open", "10.244.2.7").start(POSTGRES)
    network.kernel.run()
    assert process.exit_code == 1


@pytest.mark.parametrize("reference", ["redis", "redis:8.2-alpine", "docker.io/library/postgres:17", "postgres:latest"])
def test_any_tag_of_them_is_had(reference: str) -> None:
    assert images.find(reference) is not None
