"""The embedded DNS answers as the real CoreDNS does, which follows the embedded API server by client-go's informers.

CoreDNS is that of the current kind cluster, or the program that GRADER_COREDNS names. It runs on this machine and reads
an embedded cluster, so both servers answer from the same objects. Disagreements that are known, with their reasons, are
in tests/coredns/differences.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import pytest

from grader.cluster.choose import provider
from grader.cluster.embedded import read_endpoint, stop
from grader.cluster.info import ClusterInfo, Provider
from grader.cluster.provider import silent
from grader.kube.client import KubeApi
from tests.clusters import embedded
from tests.coredns import questions
from tests.coredns.asking import Question, said
from tests.coredns.binary import coredns_binary
from tests.coredns.comparison import Comparison
from tests.coredns.questions import MALFORMED
from tests.coredns.server import CoreDns, coredns, own_address
from tests.coredns.world import World

pytestmark = pytest.mark.kind

SEED = int(os.environ.get("GRADER_SEED", "1"))
ASKED = int(os.environ.get("GRADER_FUZZ", "2000"))
ROUNDS = 3


@dataclass
class Live:
    """A CoreDNS, an embedded cluster that it reads, and what is known to have an answer."""

    cluster: ClusterInfo
    world: World
    real: CoreDns
    rng: Random
    answered: list[Question] = field(default_factory=list)

    def comparison(self) -> Comparison:
        endpoint = read_endpoint(self.cluster.kubeconfig.parent)
        assert endpoint is not None
        return Comparison(self.real.port, int(endpoint.dns.rpartition(":")[2]))

    def names(self) -> list[str]:
        return questions.names(self.world.services(), self.world.slices())


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("coredns")
    binary = coredns_binary(folder)
    with (
        embedded("coredns") as cluster,
        coredns(binary, cluster.kubeconfig, folder) as real,
        KubeApi(cluster.kubeconfig) as api,
    ):
        world = World(api, SEED)
        world.keep_no_answers()
        world.begin(own_address())
        world.until_settled("alpha", 2)
        world.until_seen(real.port)
        yield Live(cluster, world, real, Random(SEED))


def test_both_answer_alike_about_every_name(live: Live) -> None:
    comparison = live.comparison()
    comparison.compare(questions.all_of_each(live.names(), live.rng)[: ASKED * 2])
    live.answered += comparison.answered
    told(comparison, ASKED)


def test_both_answer_alike_in_whatever_way_they_are_asked(live: Live) -> None:
    comparison = live.comparison()
    comparison.compare(questions.varied(live.names(), live.answered, live.rng, ASKED))
    told(comparison, ASKED)


@pytest.mark.parametrize("wire", MALFORMED, ids=bytes.hex)
def test_both_say_the_same_to_what_is_no_plain_question(live: Live, wire: bytes) -> None:
    comparison = live.comparison()
    for tcp in (False, True):
        assert said(wire, comparison.ours, tcp=tcp) == said(wire, comparison.real, tcp=tcp)


def test_coredns_follows_what_changes(live: Live) -> None:
    comparison = live.comparison()
    for _ in range(ROUNDS):
        live.world.change()
        live.world.until_seen(live.real.port)
        comparison.compare(questions.all_of_each(live.names(), live.rng)[: ASKED // ROUNDS])
    told(comparison, ASKED // ROUNDS * ROUNDS)


def test_coredns_follows_a_cluster_that_was_stopped_and_started_again(live: Live) -> None:
    """Its watches break off; what it knew is of a resourceVersion that the API server does not go on from."""
    stop(live.cluster.kubeconfig.parent)
    provider(Provider.EMBEDDED).up(live.cluster.name, {}, silent)
    live.world.change()
    live.world.until_seen(live.real.port)
    comparison = live.comparison()
    comparison.compare(questions.all_of_each(live.names(), live.rng)[: ASKED // 4])
    told(comparison, ASKED // 4)


def told(comparison: Comparison, least: int) -> None:
    print(comparison.summary())
    assert comparison.count >= least
    assert not comparison.found, comparison.told()
