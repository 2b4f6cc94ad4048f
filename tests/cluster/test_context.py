from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from grader.cluster import placing
from grader.cluster.context import ContextProvider, extract
from grader.cluster.info import Provider, folder, load
from grader.cluster.probes import probe_name
from grader.cluster.provider import silent
from grader.errors import ClusterUnreachable, EnvironmentError_, UsageError
from grader.model.vantage import PROBE_NAMESPACE
from tests.cluster import objects
from tests.kube.fake_api import FakeApi, Object, serving

PODS = f"/api/v1/namespaces/{PROBE_NAMESPACE}/pods"
CONFIG = {
    "current-context": "mine",
    "contexts": [
        {"name": "mine", "context": {"cluster": "home", "user": "me"}},
        {"name": "class", "context": {"cluster": "school", "user": "pupil", "namespace": "pupil-7"}},
    ],
    "clusters": [
        {"name": "home", "cluster": {"server": "https://home.example"}},
        {"name": "school", "cluster": {"server": "https://school.example", "certificate-authority": "ca.pem"}},
    ],
    "users": [
        {"name": "me", "user": {"token": "secret-of-mine"}},
        {"name": "pupil", "user": {"tokenFile": "token", "exec": {"command": "./login"}}},
    ],
}


def test_only_the_chosen_context_is_taken_with_its_files(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("PEM")
    found = extract([(tmp_path / "config", CONFIG)], "class")
    assert found["current-context"] == "class"
    assert [item["name"] for item in found["contexts"]] == ["class"]
    (cluster,) = found["clusters"]
    assert cluster["cluster"] == {
        "server": "https://school.example",
        "certificate-authority-data": base64.b64encode(b"PEM").decode(),
    }
    (user,) = found["users"]
    assert user["user"] == {"tokenFile": str(tmp_path / "token"), "exec": {"command": str(tmp_path / "login")}}
    assert "secret-of-mine" not in yaml.safe_dump(found)


def test_the_current_context_is_meant_where_none_is_named(tmp_path: Path) -> None:
    assert extract([(tmp_path / "config", CONFIG)], None)["clusters"][0]["name"] == "home"


def test_the_first_of_several_files_wins(tmp_path: Path) -> None:
    first = {"users": [{"name": "me", "user": {"token": "first"}}]}
    found = extract([(tmp_path / "a", first), (tmp_path / "b", CONFIG)], "mine")
    assert found["users"] == [{"name": "me", "user": {"token": "first"}}]


def test_an_unknown_context_is_told_with_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        extract([(tmp_path / "config", CONFIG)], "gone")
    assert error.value.facts == {"context": "gone", "known": "mine, class"}


def test_a_file_that_a_context_names_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ClusterUnreachable) as error:
        extract([(tmp_path / "config", CONFIG)], "class")
    assert error.value.code == "kubeconfig-unreadable"


def test_without_any_kubeconfig_it_is_told_so() -> None:
    with pytest.raises(ClusterUnreachable) as error:
        extract([], None)
    assert error.value.code == "kubeconfig-missing"


def as_controllers_would(obj: Object) -> Object:
    if obj["kind"] != "Pod":
        return obj
    return objects.pod(obj["metadata"]["name"], obj["spec"]["nodeName"], image=obj["spec"]["containers"][0]["image"])


@pytest.fixture
def api() -> FakeApi:
    """A cluster of two nodes, with DNS and a service proxy of its own."""
    server = FakeApi(as_controllers_would)
    server.replies["/version"] = (200, b'{"gitVersion": "v1.34.1"}')
    for name in ("a", "b"):
        server.put(f"/api/v1/nodes/{name}", objects.node(name))
    server.put("/api/v1/namespaces/kube-system/pods/coredns", objects.dns("a"))
    return server


@pytest.fixture
def theirs(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The learner's own kubeconfig, which KUBECONFIG names."""
    monkeypatch.setenv("GRADER_HOME", str(tmp_path / "state"))
    with serving(api, tmp_path) as path:
        monkeypatch.setenv("KUBECONFIG", str(path))
        yield path


def test_a_context_becomes_a_cluster_of_the_course(api: FakeApi, theirs: Path) -> None:
    before = theirs.read_bytes()
    info = ContextProvider().up("shared", {"context": "here"}, silent)
    assert info == load("shared")
    assert (info.provider, info.version, info.outside) == (Provider.CONTEXT, "v1.34.1", "")
    assert {f"{PODS}/{probe_name(name)}" for name in ("a", "b")} <= api.objects.keys()
    assert ContextProvider().status("shared").ready
    assert theirs.read_bytes() == before
    assert info.kubeconfig.stat().st_mode & 0o077 == 0


def test_a_second_up_needs_the_learner_s_kubeconfig_no_more(api: FakeApi, theirs: Path) -> None:
    ContextProvider().up("shared", {"context": "here"}, silent)
    theirs.unlink()
    api.requests.clear()
    ContextProvider().up("shared", {}, silent)
    assert {method for method, *_ in api.requests} == {"GET"}


def test_down_takes_the_probes_away_and_leaves_the_cluster(api: FakeApi, theirs: Path) -> None:
    ContextProvider().up("shared", {"context": "here"}, silent)
    ContextProvider().down("shared", silent)
    assert api.methods("DELETE") == [f"/api/v1/namespaces/{PROBE_NAMESPACE}"]
    assert not folder("shared").exists()
    assert ContextProvider().status("shared").detail == "not-created"
    ContextProvider().down("shared", silent)


def test_down_of_a_cluster_that_is_gone_forgets_it(api: FakeApi, theirs: Path) -> None:
    info = ContextProvider().up("shared", {"context": "here"}, silent)
    info.kubeconfig.write_text(info.kubeconfig.read_text().replace("127.0.0.1:", "127.0.0.1:1#"))
    ContextProvider().down("shared", silent)
    assert not folder("shared").exists()


def test_a_node_that_never_becomes_ready_is_named(api: FakeApi, theirs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "READY_SECONDS", 0.0)
    api.put("/api/v1/nodes/b", objects.node("b", ready=False))
    with pytest.raises(EnvironmentError_) as error:
        ContextProvider().up("shared", {}, silent)
    assert (error.value.code, error.value.facts["missing"]) == ("cluster-stalled", "node b (KubeletNotReady)")


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        ContextProvider().up("shared", {"node-image": "x"}, silent)
    assert error.value.code == "unknown-cluster-option"
