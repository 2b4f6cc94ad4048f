from __future__ import annotations

import hashlib
import io
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from grader.cluster.kind import metallb
from grader.cluster.kind.addresses import Pool
from grader.errors import EnvironmentError_

MANIFEST = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: speaker, namespace: metallb-system}
spec: {template: {spec: {containers: [{name: speaker, image: quay.io/metallb/speaker:v0.15.2}]}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: metallb-system}
"""


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The default manifest is MANIFEST; what is downloaded is counted."""
    seen: list[str] = []

    def urlopen(url: str, timeout: float) -> io.BytesIO:
        seen.append(url)
        return io.BytesIO(MANIFEST.encode())

    monkeypatch.setenv("GRADER_HOME", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    monkeypatch.setattr(metallb, "METALLB_SHA256", hashlib.sha256(MANIFEST.encode()).hexdigest())
    return seen


def test_the_default_manifest_is_downloaded_once_and_kept(downloads: list[str]) -> None:
    assert metallb.manifest(metallb.METALLB_MANIFEST) == MANIFEST
    assert metallb.manifest(metallb.METALLB_MANIFEST) == MANIFEST
    assert downloads == [metallb.METALLB_MANIFEST]


def test_a_manifest_with_another_checksum_is_refused_and_not_kept(
    downloads: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(metallb, "METALLB_SHA256", "0" * 64)
    with pytest.raises(EnvironmentError_) as error:
        metallb.manifest(metallb.METALLB_MANIFEST)
    assert error.value.code == "metallb-checksum"
    assert not list(tmp_path.rglob("*.yaml"))


def test_a_kept_manifest_that_was_changed_is_downloaded_again(downloads: list[str], tmp_path: Path) -> None:
    metallb.manifest(metallb.METALLB_MANIFEST)
    next(tmp_path.rglob("*.yaml")).write_text("kind: Changed")
    assert metallb.manifest(metallb.METALLB_MANIFEST) == MANIFEST
    assert len(downloads) == 2


def test_a_manifest_of_one_s_own_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(MANIFEST)
    assert metallb.manifest(str(tmp_path / "m.yaml")) == MANIFEST


def test_a_manifest_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentError_) as error:
        metallb.manifest(str(tmp_path / "none.yaml"))
    assert error.value.code == "metallb-unreadable"


def test_the_namespace_is_applied_before_what_lives_in_it() -> None:
    assert [item["kind"] for item in metallb.documents(MANIFEST)] == ["Namespace", "DaemonSet"]


@pytest.mark.parametrize("text", ["a: [", "<html>", "kind: Namespace"])
def test_what_is_no_manifest_of_metallb_is_refused(text: str) -> None:
    with pytest.raises(EnvironmentError_) as error:
        metallb.documents(text)
    assert error.value.code == "metallb-unreadable"


def test_images_are_read_from_the_manifest() -> None:
    assert metallb.images(metallb.documents(MANIFEST)) == ("quay.io/metallb/speaker:v0.15.2",)


def test_the_advertisement_is_for_the_pool() -> None:
    pool, advertisement = metallb.pool_objects(Pool(IPv4Address("10.0.0.8"), IPv4Address("10.0.0.9")))
    assert pool["spec"] == {"addresses": ["10.0.0.8-10.0.0.9"]}
    assert advertisement["spec"] == {"ipAddressPools": [pool["metadata"]["name"]]}
