"""Volumes of a Pod: shared by its containers, over the image's folders, and for how long they are kept."""

from __future__ import annotations

from typing import Any

import pytest

from grader.embedded.core.kernel import drive

NGINX = "nginx:1.29"
HTML = "/usr/share/nginx/html"


def busybox(name: str, command: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "image": "busybox:1.37", "command": ["sh", "-c", command], **fields}


def mount(name: str, path: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "mountPath": path, **fields}


def run(cluster: Any, script: str, container: str, name: str = "p") -> str:
    process = cluster.world.exec("default", name, container, ["sh", "-c", script])
    out = bytearray()
    process.on_output(lambda _fd, data: out.extend(data))
    drive(cluster.kernel, cluster.clock, process.wait())
    return out.decode()


def config(cluster: Any, **data: str) -> None:
    metadata = {"name": "cm", "namespace": "default"}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    if cluster.store.get("configmaps", "default", "cm") is None:
        cluster.store.create("configmaps", body)
    else:
        cluster.store.update("configmaps", body)
    cluster.settle()


@pytest.mark.parametrize("medium", ["", "Memory"])
@pytest.mark.parametrize("kind", ["containers", "initContainers"])
def test_what_one_container_writes_the_other_serves(cluster: Any, kind: str, medium: str) -> None:
    web = {"name": "web", "image": NGINX, "volumeMounts": [mount("shared", HTML)]}
    script = "echo hello > /pages/index.html" + ("; sleep 1000" if kind == "containers" else "")
    writer = busybox("writer", script, volumeMounts=[mount("shared", "/pages")])
    spec = (
        {"initContainers": [writer], "containers": [web]} if kind == "initContainers" else {"containers": [web, writer]}
    )
    cluster.pod("p", volumes=[{"name": "shared", "emptyDir": {"medium": medium} if medium else {}}], **spec)
    cluster.settle()
    assert run(cluster, "curl -s localhost", "web") == "hello\n"


def test_an_empty_dir_over_an_images_folder_starts_empty(cluster: Any) -> None:
    web = {"name": "web", "image": NGINX, "volumeMounts": [mount("shared", HTML)]}
    cluster.pod("p", volumes=[{"name": "shared", "emptyDir": {}}], containers=[web])
    cluster.settle()
    assert run(cluster, f"ls {HTML}; ls -d {HTML}", "web") == f"{HTML}\n"
    assert "403 Forbidden" in run(cluster, "curl -s localhost", "web")


def test_an_empty_dir_is_kept_over_restarts_and_goes_with_the_pod(cluster: Any) -> None:
    counts = busybox("web", "echo run >> /data/runs; sleep 5; exit 1", volumeMounts=[mount("shared", "/data")])
    spec = {"volumes": [{"name": "shared", "emptyDir": {}}], "terminationGracePeriodSeconds": 1}
    cluster.pod("p", containers=[counts], **spec)
    cluster.settle(8)
    assert run(cluster, "cat /data/runs", "web") == "run\nrun\n"
    cluster.delete("pods", "p")
    cluster.settle(5)
    cluster.pod("p", containers=[counts], **spec)
    cluster.settle()
    assert run(cluster, "cat /data/runs", "web") == "run\n"


def test_a_sub_path_is_a_folder_of_the_volume(cluster: Any) -> None:
    mounts = [
        mount("shared", "/s"),
        mount("shared", "/sub", subPath="x/y"),
        mount("shared", "/me", subPathExpr="of/$(NAME)"),
    ]
    env = [{"name": "NAME", "value": "p"}]
    web = busybox("web", "sleep 1000", volumeMounts=mounts, env=env)
    cluster.pod("p", volumes=[{"name": "shared", "emptyDir": {}}], containers=[web])
    cluster.settle()
    script = "echo hi > /sub/f; cat /s/x/y/f; echo me > /me/f; cat /s/of/p/f; ls /s"
    assert run(cluster, script, "web") == "hi\nme\nof\nx\n"


def test_what_is_mounted_to_be_read_is_not_written(cluster: Any) -> None:
    """Texts as on kind 1.36.3."""
    config(cluster, a="1")
    mounts = [mount("shared", "/s"), mount("shared", "/ro", readOnly=True), mount("cm", "/c")]
    volumes = [{"name": "shared", "emptyDir": {}}, {"name": "cm", "configMap": {"name": "cm"}}]
    box = busybox("box", "sleep 1000", volumeMounts=mounts)
    web = {"name": "web", "image": NGINX, "volumeMounts": mounts}
    cluster.pod("p", volumes=volumes, containers=[box, web])
    cluster.settle()
    script = "echo 1 > /c/x; touch /ro/x; rm /c/a; mkdir /ro/d; echo f > /s/f; cp /s/f /ro/g; cat /ro/f"
    assert run(cluster, script, "box").splitlines() == [
        "sh: can't create /c/x: Read-only file system",
        "touch: /ro/x: Read-only file system",
        "rm: can't remove '/c/a': Read-only file system",
        "mkdir: can't create directory '/ro/d': Read-only file system",
        "cp: can't create '/ro/g': Read-only file system",
        "f",
    ]
    assert run(cluster, "echo 1 > /c/x; touch /ro/x; rm /c/a; mkdir /ro/d", "web").splitlines() == [
        "sh: 1: cannot create /c/x: Read-only file system",
        "touch: cannot touch '/ro/x': Read-only file system",
        "rm: cannot remove '/c/a': Read-only file system",
        "mkdir: cannot create directory '/ro/d': Read-only file system",
    ]


def test_a_file_mounted_into_a_folder_leaves_the_folder_as_it_is(cluster: Any) -> None:
    config(cluster, **{"index.html": "mine"})
    web = {"name": "web", "image": NGINX}
    web["volumeMounts"] = [mount("cm", f"{HTML}/index.html", subPath="index.html"), mount("cm", "/c")]
    cluster.pod("p", volumes=[{"name": "cm", "configMap": {"name": "cm"}}], containers=[web])
    cluster.settle()
    assert run(cluster, f"ls {HTML}; curl -s localhost", "web") == "50x.html\nindex.html\nmine"
    config(cluster, **{"other.html": "new"})
    assert run(cluster, "ls /c; curl -s localhost", "web") == "other.html\nmine", "the mount is of the old file"


def test_files_of_a_node_are_kept_over_pods(cluster: Any) -> None:
    spec = {
        "node": "services-course-worker",
        "volumes": [{"name": "d", "hostPath": {"path": "/data", "type": "DirectoryOrCreate"}}],
        "terminationGracePeriodSeconds": 0,
    }
    cluster.pod("p", containers=[busybox("a", "echo 1 > /d/f; sleep 1000", volumeMounts=[mount("d", "/d")])], **spec)
    cluster.settle()
    cluster.delete("pods", "p")
    cluster.settle()
    cluster.pod("p", containers=[busybox("a", "sleep 1000", volumeMounts=[mount("d", "/d")])], **spec)
    cluster.settle()
    assert run(cluster, "cat /d/f", "a") == "1\n"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (
            {"hostPath": {"path": "/nosuch", "type": "Directory"}},
            "hostPath type check failed: /nosuch is not a directory",
        ),
        (
            {"nfs": {"server": "nfs.example", "path": "/"}},
            "the embedded cluster has no nfs volumes (use a kind cluster: grader cluster up --kind)",
        ),
    ],
)
def test_a_volume_that_cannot_be_had_is_told(cluster: Any, source: dict[str, Any], why: str) -> None:
    cluster.pod("p", volumes=[{"name": "d", **source}])
    cluster.settle()
    assert dict(cluster.events("p"))["FailedMount"] == f'MountVolume.SetUp failed for volume "d" : {why}'
    assert cluster.store.get("pods", "default", "p")["status"]["phase"] == "Pending"
