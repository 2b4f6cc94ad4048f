"""A container that must not be root, and one whose files are there to be read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.core.kubelet.pods import busybox, output, reasons, state, stored

READ_ONLY = {"readOnlyRootFilesystem": True}


def waiting(cluster: Any) -> dict[str, str]:
    found: dict[str, str] = state(cluster)["state"].get("waiting", {})
    return found


@pytest.mark.parametrize(
    ("image", "pod", "own", "why"),
    [
        ("nginx:1.29", {"runAsNonRoot": True}, {}, "container has runAsNonRoot and image will run as root"),
        ("nginx:1.29", {"runAsNonRoot": True}, {"runAsUser": 0}, "container's runAsUser breaks non-root policy"),
        (
            "curlimages/curl",
            {},
            {"runAsNonRoot": True},
            "container has runAsNonRoot and image has non-numeric user (curl_user), cannot verify user is non-root",
        ),
        ("nginx:1.29", {"runAsNonRoot": True, "runAsUser": 101}, {}, ""),
        ("hashicorp/http-echo", {"runAsNonRoot": True}, {}, ""),
    ],
)
def test_who_must_not_be_root_is_not_created_as_root(
    cluster: Any, image: str, pod: dict[str, Any], own: dict[str, Any], why: str
) -> None:
    cluster.pod("p", securityContext=pod, containers=[{"name": "web", "image": image, "securityContext": own}])
    cluster.settle()
    if not why:
        assert waiting(cluster).get("reason") in (None, "CrashLoopBackOff")
        return
    uid = stored(cluster)["metadata"]["uid"]
    message = f'{why} (pod: "p_default({uid})", container: web)'
    assert waiting(cluster) == {"reason": "CreateContainerConfigError", "message": message}
    assert dict(cluster.events("p"))["Failed"] == f"Error: {message}"
    assert "Created" not in reasons(cluster)


def test_a_containers_own_word_on_root_counts(cluster: Any) -> None:
    own = {"securityContext": {"runAsNonRoot": False}}
    cluster.pod("p", securityContext={"runAsNonRoot": True}, containers=[busybox("sleep", "1000", **own)])
    cluster.settle()
    assert "running" in state(cluster)["state"]


def test_a_read_only_root_is_written_only_where_something_is_mounted(cluster: Any) -> None:
    mount = {"name": "own", "mountPath": "/data"}
    held = busybox("sleep", "1000", workingDir="/made/before", securityContext=READ_ONLY, volumeMounts=[mount])
    cluster.pod("p", containers=[held], volumes=[{"name": "own", "emptyDir": {}}])
    cluster.settle()
    assert output(cluster, "touch", "/tmp/a") == "touch: /tmp/a: Read-only file system\n"
    assert output(cluster, "rm", "/etc/resolv.conf") == "rm: can't remove '/etc/resolv.conf': Read-only file system\n"
    script = "pwd; echo a > /data/a; cat /data/a; echo b > /dev/b; cat /dev/b"
    assert output(cluster, "sh", "-c", script) == "/made/before\na\nb\n"


@pytest.mark.parametrize(
    ("folders", "why"),
    [
        ((), 'mkdir() "/var/cache/nginx/client_temp" failed (30: Read-only file system)'),
        (("/var/cache/nginx",), 'open() "/run/nginx.pid" failed (30: Read-only file system)'),
        (("/var/cache/nginx", "/var/run"), ""),
    ],
)
def test_nginx_needs_folders_that_it_can_write_to(cluster: Any, folders: tuple[str, ...], why: str) -> None:
    mounts = [{"name": f"v{number}", "mountPath": path} for number, path in enumerate(folders)]
    volumes = [{"name": mount["name"], "emptyDir": {}} for mount in mounts]
    held = {"name": "web", "image": "nginx:1.29", "securityContext": READ_ONLY, "volumeMounts": mounts}
    cluster.pod("p", containers=[held], volumes=volumes)
    cluster.settle()
    log = b"".join(line.text for line in cluster.world.logs("default", "p").lines).decode()
    assert (f"nginx: [emerg] {why}\n" in log) if why else ("running" in state(cluster)["state"])
