"""Commands run side by side in one shell; here `docker` and `curl` are scripts that stand in for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grader.observe.carriers import CarrierError, RejectionError, SilenceError
from grader.observe.container import ContainerCarrier

DOCKER = "#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\nexec sh\n"
CURL = r"""#!/bin/sh
for url in "$@"; do :; done
case "$url" in
  *silent*) exit 28 ;;
  *invalid*) printf 'host and/or port param are invalid\n400' ;;
  *gone*) exit 7 ;;
  *) printf '{"said": "%s"}\n200' "${url##*/}" ;;
esac
"""


@pytest.fixture
def carrier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ContainerCarrier]:
    for name, text in (("docker", DOCKER), ("curl", CURL)):
        script = tmp_path / name
        script.write_text(text)
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    made = ContainerCarrier("outside")
    yield made
    made.close()


def test_each_command_gets_its_own_answer_however_many_run(carrier: ContainerCarrier) -> None:
    with ThreadPoolExecutor(8) as executor:
        answers = list(executor.map(lambda number: carrier.get(f"n{number}", {}, 1.0), range(20)))
    assert answers == [f'{{"said": "n{number}?"}}'.encode() for number in range(20)]


def test_outcomes_of_the_command_are_told_apart(carrier: ContainerCarrier) -> None:
    with pytest.raises(SilenceError):
        carrier.get("silent", {}, 1.0)
    with pytest.raises(RejectionError, match="invalid"):
        carrier.get("invalid", {}, 1.0)
    with pytest.raises(CarrierError) as caught:
        carrier.get("gone", {}, 1.0)
    assert "curl 7" in caught.value.facts["reason"]


def test_a_question_cannot_break_out_of_its_quotes(carrier: ContainerCarrier) -> None:
    assert b"touch" in carrier.get("x", {"host": "'; touch broken; '"}, 1.0)
    assert not Path("broken").exists()


def test_a_container_that_is_gone_is_told_with_dockers_own_words(carrier: ContainerCarrier, tmp_path: Path) -> None:
    (tmp_path / "docker").write_text("#!/bin/sh\necho No such container: outside >&2\nexit 1\n")
    with pytest.raises(CarrierError) as caught:
        carrier.get("hostname", {}, 1.0)
    assert caught.value.code == "outside-client-unreachable"


def test_a_machine_without_docker_is_told(carrier: ContainerCarrier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(CarrierError) as caught:
        carrier.get("hostname", {}, 1.0)
    assert caught.value.code == "docker-missing"
