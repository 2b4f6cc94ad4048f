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


def run_as(cluster: Any, image: str, pod: dict[str, Any], own: dict[str, Any] | None = None, **more: Any) -> None:
    held = {"name": "web", "image": image, "command": ["sleep", "1000"], "securityContext": own or {}, **more}
    volumes = [{"name": "own", "emptyDir": {}}, {"name": "node", "hostPath": {"path": "/srv"}}]
    cluster.pod("p", securityContext=pod, containers=[held], volumes=volumes)
    cluster.settle()


@pytest.mark.parametrize(
    ("image", "pod", "own", "said"),
    [
        ("busybox:1.37", {}, {}, "uid=0(root) gid=0(root) groups=0(root),10(wheel)\n"),
        ("nginx:1.29", {}, {}, "uid=0(root) gid=0(root) groups=0(root)\n"),
        ("busybox:1.37", {"runAsUser": 1000}, {}, "uid=1000 gid=0(root) groups=0(root)\n"),
        ("busybox:1.37", {"runAsUser": 1000}, {"runAsUser": 65534}, "uid=65534(nobody) gid=65534(nobody) "
         "groups=65534(nobody)\n"),
        (
            "busybox:1.37",
            {"runAsUser": 1000, "runAsGroup": 3000, "fsGroup": 2000, "supplementalGroups": [4000]},
            {},
            "uid=1000 gid=3000 groups=2000,3000,4000\n",
        ),
        ("nginx:1.29", {"runAsUser": 1, "runAsGroup": 3, "fsGroup": 2}, {}, "uid=1 gid=3(sys) groups=3(sys),2(bin)\n"),
        ("busybox:1.37", {"supplementalGroupsPolicy": "Strict"}, {}, "uid=0(root) gid=0(root) groups=0(root)\n"),
    ],
)  # fmt: skip
def test_a_containers_processes_run_as_whom_its_security_context_says(
    cluster: Any, image: str, pod: dict[str, Any], own: dict[str, Any], said: str
) -> None:
    run_as(cluster, image, pod, own)
    assert output(cluster, "id") == said


def test_who_has_no_name_has_a_number(cluster: Any) -> None:
    run_as(cluster, "busybox:1.37", {"runAsUser": 1000})
    script = "whoami; id -u; id -un; echo $HOME"
    assert output(cluster, "sh", "-c", script) == "whoami: unknown uid 1000\n1000\n1000\nid: unknown ID 1000\n/\n"


def test_who_is_not_root_writes_only_where_everybody_may_or_what_is_theirs(cluster: Any) -> None:
    mounts = [{"name": "own", "mountPath": "/data"}, {"name": "node", "mountPath": "/node"}]
    run_as(cluster, "busybox:1.37", {"runAsUser": 1000}, volumeMounts=mounts, workingDir="/made")
    for path in ("/x", "/etc/hosts", "/made/x", "/node/x"):
        assert output(cluster, "sh", "-c", f"echo a > {path}") == f"sh: can't create {path}: Permission denied\n"
    assert output(cluster, "touch", "/made/x") == "touch: /made/x: Permission denied\n"
    assert output(cluster, "rm", "/etc/hosts") == "rm: can't remove '/etc/hosts': Permission denied\n"
    script = "mkdir /tmp/a && echo 1 > /tmp/a/b && echo 2 >> /tmp/a/b && echo 3 > /data/c && cat /tmp/a/b /data/c"
    assert output(cluster, "sh", "-c", f"{script}; rm /tmp/a/b; echo bye > /dev/termination-log") == "1\n2\n3\n"


def test_what_belongs_to_another_user_is_not_written(cluster: Any) -> None:
    mount = [{"name": "own", "mountPath": "/data"}]
    write = ["sh", "-c", "mkdir /data/folder; echo first > /data/a; sleep 1000"]
    one = busybox(*write, securityContext={"runAsUser": 1}, volumeMounts=mount)
    other = busybox("sleep", "1000", securityContext={"runAsUser": 2}, volumeMounts=mount)
    volumes = [{"name": "own", "emptyDir": {}}]
    cluster.pod("p", containers=[other, {**one, "name": "one"}], volumes=volumes)
    cluster.settle()
    for path in ("/data/a", "/data/folder/b"):
        assert output(cluster, "sh", "-c", f"echo b >> {path}") == f"sh: can't create {path}: Permission denied\n"
    assert output(cluster, "sh", "-c", "cat /data/a; rm /data/a; ls /data") == "first\nfolder\n"


def test_files_of_an_empty_dir_belong_to_the_pods_group(cluster: Any) -> None:
    mount = [{"name": "own", "mountPath": "/data"}]
    run_as(cluster, "busybox:1.37", {"runAsUser": 1000, "runAsGroup": 3000, "fsGroup": 2000}, volumeMounts=mount)
    output(cluster, "sh", "-c", "echo a > /data/a; echo b > /tmp/b")
    lines = output(cluster, "ls", "-ld", "/", "/data", "/data/a", "/tmp", "/tmp/b").splitlines()
    found = {words[-1]: (words[0], words[2], words[3]) for words in map(str.split, lines)}
    assert found == {
        "/": ("drwxr-xr-x", "root", "root"),
        "/data": ("drwxrwsrwx", "root", "2000"),
        "/data/a": ("-rw-r--r--", "1000", "2000"),
        "/tmp": ("drwxrwxrwt", "root", "root"),
        "/tmp/b": ("-rw-r--r--", "1000", "3000"),
    }


@pytest.mark.parametrize(
    ("image", "lines"),
    [
        (
            "nginx:1.29",
            (
                "10-listen-on-ipv6-by-default.sh: info: can not modify /etc/nginx/conf.d/default.conf "
                "(read-only file system?)",
                'mkdir() "/var/cache/nginx/client_temp" failed (13: Permission denied)',
                'the "user" directive makes sense only if the master process runs with super-user privileges, ignored',
            ),
        ),
        ("httpd:2.4", ("AH00100: httpd: could not log pid to file /usr/local/apache2/logs/httpd.pid",)),
    ],
)
def test_a_server_that_may_not_write_its_files_ends(cluster: Any, image: str, lines: tuple[str, ...]) -> None:
    cluster.pod("p", containers=[{"name": "web", "image": image, "securityContext": {"runAsUser": 1000}}])
    cluster.settle()
    log = b"".join(line.text for line in cluster.world.logs("default", "p").lines).decode()
    assert [line for line in lines if line not in log] == []
    assert state(cluster)["ready"] is False


def test_a_log_that_cannot_be_opened_stops_nginx(cluster: Any) -> None:
    mounts = [{"name": "a", "mountPath": "/var/cache/nginx"}, {"name": "b", "mountPath": "/run"}]
    command = ["nginx", "-g", "daemon off; error_log /opt/error.log;"]
    held = {"name": "web", "image": "nginx:1.29", "command": command, "securityContext": READ_ONLY}
    volumes = [{"name": name, "emptyDir": {}} for name in "ab"]
    cluster.pod("p", containers=[{**held, "volumeMounts": mounts}], volumes=volumes)
    cluster.settle()
    log = b"".join(line.text for line in cluster.world.logs("default", "p").lines).decode()
    assert 'open() "/opt/error.log" failed (30: Read-only file system)' in log


def test_a_port_below_1024_is_open_to_every_user(cluster: Any) -> None:
    own = {"runAsUser": 1000, "capabilities": {"drop": ["ALL"]}}
    held = busybox("sh", "-c", "mkdir /tmp/w; echo hello > /tmp/w/index.html; httpd -f -p 80 -h /tmp/w")
    cluster.pod("p", containers=[{**held, "securityContext": own}])
    cluster.settle()
    assert output(cluster, "wget", "-qO-", "http://127.0.0.1/") == "hello\n"
