"""`--cluster` names the cluster of one session: nothing else in the process is told."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from click.testing import CliRunner, Result

from grader.cli.root import root
from grader.cli.session import Session, named
from grader.cluster.choose import temporary
from grader.workflow.check import check
from grader.workflow.session import current
from grader.workflow.session.find import exercise
from grader.workflow.session.start import start

NAMES = ("morning", "evening")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with two clusters, of which neither is the current one."""
    folder = tmp_path_factory.mktemp("two")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_HOME", str(folder / "home"))
        patch.setenv("GRADER_WORK", str(folder / "work"))
        for name in ("GRADER_CLUSTER", "KUBECONFIG"):
            patch.delenv(name, raising=False)
        with temporary(NAMES[0]), temporary(NAMES[1]):
            yield folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(root, list(arguments))


def test_a_session_finds_the_cluster_that_it_names_and_another_nothing(place: Path) -> None:
    before = dict(os.environ)
    found = [json.loads(run("--cluster", name, "cluster", "status", "--json").output) for name in NAMES]
    assert [item["name"] for item in found] == list(NAMES)
    assert len({item["kubeconfig"] for item in found}) == 2
    assert run("cluster", "status").exit_code == 4
    assert dict(os.environ) == before


def test_two_sessions_of_one_process_work_at_once_each_on_its_own_cluster(place: Path) -> None:
    exercises = dict(zip(NAMES, ("clusterip", "multi-port"), strict=True))
    together = Barrier(2, timeout=30)

    def work(name: str) -> str:
        session = Session(cluster_name=name)
        chosen = exercise(exercises[name])
        together.wait()
        cluster = session.cluster()
        start(chosen, cluster, place / "work" / name)
        current.enter(chosen, cluster)
        together.wait()  # both were begun before either is asked which it is
        begun = named(session, None)
        return check(begun, cluster).exercise

    with ThreadPoolExecutor(2) as pool:
        assert dict(zip(NAMES, pool.map(work, NAMES), strict=True)) == exercises


def test_what_is_said_next_and_what_children_inherit_name_the_cluster() -> None:
    session = Session(cluster_name="evening")
    assert session.program.endswith(" --cluster evening")
    assert session.inherited == {"GRADER_CLUSTER": "evening"}
    assert Session().inherited == {}
