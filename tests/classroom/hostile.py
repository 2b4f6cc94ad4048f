"""Hand-ins of whoever would break the evening, or somebody else's marks: by name, what lies in the folder."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from grader import exercises
from grader.classroom import ASSIGNMENT
from grader.classroom.assignment import notebook

SERVICE, WORKLOAD = exercises.load("clusterip"), exercises.load("complete-example")
ANSWER = SERVICE.answers[0].text
Make = Callable[[Path], object]


def written(**files: str | bytes) -> Make:
    """Files of these contents; a double underscore stands for a dot, "clusterip__yaml"."""

    def make(folder: Path) -> None:
        for name, content in files.items():
            path = folder / name.replace("__", ".").replace("9", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    return make


def manifest(text: str | bytes) -> Make:
    return written(clusterip__yaml=text)


def exported(text: str) -> Make:
    return written(submit9clusterip__yaml=text)


def objects(*items: Mapping[str, Any]) -> Make:
    text = yaml.safe_dump_all(items)

    def make(folder: Path) -> None:
        manifest(text)(folder)
        written(**{"submit9complete-example__yaml": text})(folder)

    return make


def service(**change: Any) -> dict[str, Any]:
    spec = {"selector": {"app": "backend"}, "ports": [{"port": 80, "targetPort": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "backend-service"}, "spec": spec, **change}


def cluster_scoped(group_version: str, kind: str, **fields: Any) -> Make:
    return objects({"apiVersion": group_version, "kind": kind, "metadata": {"name": "mine"}, **fields})


def container(*command: str, **fields: Any) -> dict[str, Any]:
    return {"command": [*command], **fields}


def running(*command: str, pod: Mapping[str, Any] | None = None, **fields: Any) -> Make:
    """The right answer, but for what its containers do."""
    documents = list(yaml.safe_load_all(WORKLOAD.answers[0].text))
    [workload] = [item for item in documents if item["kind"] == "Deployment"]
    spec = workload["spec"]["template"]["spec"]
    spec["containers"] = [spec["containers"][0] | container(*command, **fields)]
    spec |= pod or {}
    return written(**{f"{WORKLOAD.id}__yaml": yaml.safe_dump_all(documents)})


def shell(script: str) -> Make:
    return running("sh", "-c", f"({script}) & /agnhost netexec --http-port=8080", args=[])


def cells(*sources: str, **change: Any) -> Make:
    document = json.loads(json.dumps(notebook([SERVICE, WORKLOAD])))
    for source in sources:
        cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None}
        document["cells"].insert(0, {**cell, **change})
    return written(services__ipynb=json.dumps(document))


def linked(name: str, to: str) -> Make:
    return lambda folder: (folder / name).symlink_to(to)


def archive(name: str, files: Mapping[str, bytes]) -> Make:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as opened:
        for path, content in files.items():
            opened.writestr(path, content)
    return written(**{name: held.getvalue()})


def sparse(name: str) -> Make:
    def make(folder: Path) -> None:
        with (folder / name).open("wb") as handle:
            handle.truncate(100_000_000)

    return make


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


HEADS = "".join(
    f"# deleted: clusterip/Pod/backend-{n}\n# address: 10.244.1.{n} clusterip/Deployment/backend/{n}\n"
    for n in range(99)
)
PORT = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: %s}]}\n"
ENDLESS = "while :; do :; done"

READING: dict[str, Make] = {
    "link-to-secret": linked("clusterip.yaml", "/etc/passwd"),
    "link-to-device": linked("clusterip.yaml", "/dev/zero"),
    "link-to-itself": linked("clusterip.yaml", "clusterip.yaml"),
    "link-to-root": linked("work", "/"),
    "link-notebook": linked("services.ipynb", "../honest0/services.ipynb"),
    "pipe": lambda folder: os.mkfifo(folder / "clusterip.yaml"),
    "pipe-timestamp": lambda folder: os.mkfifo(folder / "timestamp.txt"),
    "pipe-zip": lambda folder: os.mkfifo(folder / "all.zip"),
    "folder-as-manifest": lambda folder: (folder / "clusterip.yaml").mkdir(),
    "folder-as-notebook": lambda folder: (folder / "services.ipynb").mkdir(),
    "hundred-megabytes": sparse("clusterip.yaml"),
    "hundred-megabytes-notebook": sparse("services.ipynb"),
    "hundred-megabytes-zip": sparse("all.zip"),
    "many-files": lambda folder: [(folder / f"{n}.yaml").touch() for n in range(2_500)],
    "deep-folders": lambda folder: (folder / "/".join("d" * 1 for _ in range(200))).mkdir(parents=True),
    "no-text": manifest(bytes(range(256)) * 40),
    "shift-jis": manifest(f"# こたえ\n{ANSWER}".encode("cp932")),
    "utf-16": manifest(ANSWER.encode("utf-16")),
    "renamed-yml": written(clusterip__yml=ANSWER),
    "renamed-txt": written(clusterip__yaml__txt=ANSWER),
    "renamed-notebook": written(**{"services (1)__ipynb": json.dumps(notebook([SERVICE]))}),
    "zip-bomb": archive("all__zip", {"clusterip.yaml": b"#" * 200_000_000}),
    "zip-escape": archive("all__zip", {"../../../honest0/clusterip.yaml": b"x", "/etc/cron.d/x": b"x"}),
    "zip-none": written(all__zip=b"PK\x03\x04" + b"\0" * 60),
    "zip-in-zip": archive("all__zip", {"inner.zip": b"PK"}),
    "zip-many": archive("all__zip", {f"{n}.yaml": b"" for n in range(5_000)}),
    "notebook-truncated": written(services__ipynb=json.dumps(notebook([SERVICE]))[:-30]),
    "notebook-empty": written(services__ipynb=b""),
    "notebook-deep": written(services__ipynb="[" * 200_000),
    "notebook-wide": written(services__ipynb='{"cells": [' + "[]," * 8_000_000 + "[]]}"),
    "notebook-numbers": written(services__ipynb='{"cells": ' + "9" * 2_000_000 + "}"),
    "notebook-no-cells": written(services__ipynb='{"cells": {"a": 1}}'),
    "notebook-code": cells("import os; os.kill(os.getppid(), 9)", "%%bash\nrm -rf /"),
    "notebook-html": cells("<script>document.title='owned'</script>", cell_type="markdown"),
    "notebook-points": cells("float('inf')", metadata={"nbgrader": {"grade_id": "grade-clusterip", "points": 1e9}}),
    "notebook-ids": cells("x", metadata={"nbgrader": {"grade_id": ["answer-clusterip"]}}),
    "notebook-output": cells("x", outputs=[{"text": ["# learner: honest\n" * 50_000]}]),
    "timestamp-none": written(timestamp__txt="2026-99-99 99:99:99 UTC", clusterip__yaml=ANSWER),
    "timestamp-code": written(timestamp__txt="__import__('os').system('id')", clusterip__yaml=ANSWER),
    "timestamp-huge": written(timestamp__txt="1" * 5_000_000, clusterip__yaml=ANSWER),
}

PARSING: dict[str, Make] = {
    "brackets": manifest("[" * 50_000),
    "braces": manifest("{a: " * 50_000),
    "dashes": manifest("- " * 50_000),
    "question-marks": manifest("? " * 20_000),
    "indent": manifest("".join(f"{' ' * n}a:\n" for n in range(900))),
    "bomb": manifest(bomb(9)),
    "bomb-in-object": manifest(f"{ANSWER}\n---\n{bomb(9)}"),
    "alias-to-itself": manifest("a: &a [*a]\nkind: Service\n"),
    "alias-to-nothing": manifest("a: *b\n"),
    "merge-bomb": manifest("a: &a {x: 1}\n" + "".join(f"b{n}: {{<<: [*a, *a]}}\n" for n in range(5_000))),
    "nul": manifest(ANSWER.encode() + b"\0\0"),
    "control": manifest(ANSWER.encode().replace(b"backend", b"\x1b[2Jbackend")),
    "duplicate-keys": manifest(f"{ANSWER}\nspec: {{}}\n"),
    "tag-python": manifest("!!python/object/apply:os.system ['id']"),
    "tag-unknown": manifest("!!binary aGVsbG8="),
    "directive": manifest("%YAML 9.9\n---\na: b\n"),
    "date-keys": manifest("2026-01-01: x\nkind: Service\n"),
    "float-inf": manifest(PORT % ".inf"),
    "integer-huge": manifest(PORT % ("9" * 5000)),
    "sexagesimal": manifest(PORT % "1:20:30"),
    "scalar-long": manifest(f"a: {'x' * 900_000}\n"),
    "documents": manifest("---\na: b\n" * 20_000),
    "html": manifest("apiVersion: v1\nkind: <img src=x onerror=alert(1)>\nmetadata: {name: a}\n"),
    "nothing": manifest(""),
    "only-comment": manifest("# nothing\n" * 10_000),
    "truncated": manifest(ANSWER[:-9]),
    "head-long": exported(HEADS + ANSWER),
    "head-forged": exported(f"# deleted: kube-system/Deployment/coredns\n# restarted: default/Pod/x\n{ANSWER}"),
    "head-deep": exported("# ground: {" + "[" * 3_000 + "}\n" + ANSWER),
    "two-answers": written(clusterip__yaml=ANSWER, work9clusterip__yaml=f"{ANSWER}\n# mine"),
}  # fmt: skip

SERVER: dict[str, Make] = {
    "name-japanese": objects(service(metadata={"name": "バックエンド"})),
    "name-escapes": objects(service(metadata={"name": "\x1b[31mred"})),
    "name-path": objects(service(metadata={"name": "../../../namespaces/kube-system"})),
    "name-long": objects(service(metadata={"name": "x" * 100_000})),
    "name-list": objects(service(metadata={"name": ["a"]})),
    "version-wide": objects(service(apiVersion="\uff56\uff11")),
    "version-path": objects(service(apiVersion="../../v1")),
    "kind-list": objects({"apiVersion": "v1", "kind": "List", "items": "x"}),
    "kind-deep-list": objects({"apiVersion": "v1", "kind": "List", "items": [{"kind": "List", "items": [service()]}]}),
    "metadata-text": objects(service(metadata="backend-service")),
    "labels-list": objects(service(metadata={"name": "backend-service", "labels": ["a"]})),
    "spec-text": objects(service(spec="all of it")),
    "ports-text": objects(service(spec={"selector": {"app": "backend"}, "ports": "80"})),
    "ports-many": objects(service(spec={"ports": [{"port": n, "name": f"p{n}"} for n in range(1, 3_000)]})),
    "selector-many": objects(service(spec={"selector": {f"k{n}": "v" for n in range(3_000)}, "ports": [{"port": 80}]})),
    "foreign-namespace": objects(service(metadata={"name": "kube-dns", "namespace": "kube-system"})),
    "default-kubernetes": objects(service(metadata={"name": "kubernetes", "namespace": "default"})),
    "course-namespace": objects(service(metadata={"name": "probe", "namespace": "services-course"})),
    "node": cluster_scoped("v1", "Node"),
    "namespace": cluster_scoped("v1", "Namespace"),
    "persistent-volume": cluster_scoped("v1", "PersistentVolume", spec={"hostPath": {"path": "/"}}),
    "cluster-role": cluster_scoped("rbac.authorization.k8s.io/v1", "ClusterRole", rules=[]),
    "cluster-role-binding": cluster_scoped("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    "webhook": cluster_scoped("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", webhooks=[]),
    "mutating-webhook": cluster_scoped("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    "definition": cluster_scoped("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    "api-service": cluster_scoped("apiregistration.k8s.io/v1", "APIService"),
    "priority-class": cluster_scoped("scheduling.k8s.io/v1", "PriorityClass", value=1_000_000_000),
    "address-pool": cluster_scoped("metallb.io/v1beta1", "IPAddressPool", spec={"addresses": ["0.0.0.0/0"]}),
    "secret": cluster_scoped("v1", "Secret", type="kubernetes.io/service-account-token"),
    "service-account": cluster_scoped("v1", "ServiceAccount"),
    "role-binding": cluster_scoped("rbac.authorization.k8s.io/v1", "RoleBinding"),
    "record-of-ground": objects({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ground-clusterip"}}),
    "node-port-squatted": objects(service(spec={"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]})),
    "cluster-ip-squatted": objects(service(spec={"clusterIP": "10.96.0.10", "ports": [{"port": 80}]})),
    "external-ips": objects(service(spec={"externalIPs": ["10.96.0.1"], "ports": [{"port": 443}]})),
    "external-name": objects(service(spec={"type": "ExternalName", "externalName": "metadata.google.internal"})),
    "finalizers": objects(service(metadata={"name": "backend-service", "finalizers": ["never.example/ends"]})),
    "owner": objects(service(metadata={"name": "backend-service", "ownerReferences": [
        {"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": "y"}]})),
    "annotations-huge": objects(service(metadata={"name": "backend-service", "annotations": {"a/b": "x" * 300_000}})),
    "thousands-of-objects": objects(*(service(metadata={"name": f"s{n}"}) for n in range(3_000))),
    "hundred-of-objects": objects(*(service(metadata={"name": f"s{n}"}) for n in range(99))),
    "slice-huge": exported(yaml.safe_dump({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": "mine", "labels": {"kubernetes.io/service-name": "backend-service"}},
        "endpoints": [{"addresses": [f"10.1.{n // 250}.{n % 250 + 1}"]} for n in range(1_000)],
        "ports": [{"port": 8080}],
    })),
}  # fmt: skip

RUNNING: dict[str, Make] = {
    "host-path": running("sleep", "9", pod={"volumes": [{"name": "root", "hostPath": {"path": "/"}}]}),
    "host-network": running("sleep", "9", pod={"hostNetwork": True, "hostPID": True}),
    "privileged": running("sleep", "9", securityContext={"privileged": True}),
    "token": shell("cat /var/run/secrets/kubernetes.io/serviceaccount/token; cat /etc/shadow"),
    "tolerates-all": running("sleep", "9", pod={"tolerations": [{"operator": "Exists"}], "priority": 2_000_000_000}),
    "loop": shell(ENDLESS),
    "loop-words": shell("while true; do echo flood flood flood flood; done"),
    "loop-arithmetic": shell("i=0; while [ $i -ge 0 ]; do i=$((i+1)); done"),
    "doubling": shell("x=aaaaaaaa; while :; do x=$x$x; done"),
    "fork": shell("f() { f | f & }; f; f"),
    "recursion": shell("f() { f; }; f"),
    "background": shell("while :; do sleep 1000 & done"),
    "power": shell("echo $((9**9**9**9))"),
    "regular-expression": shell("echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa! | sed -E 's/(a|aa)+$/x/'"),
    "grep": shell("echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa! | grep -E '^(a+)+$'"),
    "flood": shell("yes | head -c 100000000"),
    "file": shell("head -c 1000000000 /dev/zero > /tmp/x"),
    "brace": shell("echo {1..100000000}"),
    "printf": shell("printf '%999999999d' 1"),
    "sequence": shell("seq 1 1000000000"),
    "awk": running("awk", "BEGIN { while (1) s = s s \"x\" }"),
    "crash-loop": shell("exit 1"),
    "fake-backend": shell("while :; do printf 'HTTP/1.1 200 OK\\r\\n\\r\\ntickets' | nc -l -p 8080; done"),
    "escapes": shell("printf '\\033[2J\\033]0;owned\\007'; sleep 1"),
    "environment": running("sleep", "9", env=[{"name": f"N{n}", "value": "x" * 100} for n in range(2_000)]),
    "variables": running("sleep", "9", env=[{"name": "A", "value": "$(A)$(A)$(A)"}]),
    "replicas": objects({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "evil"},
        "spec": {"replicas": 2_000_000_000, "selector": {"matchLabels": {"app": "e"}},
                 "template": {"metadata": {"labels": {"app": "e"}},
                              "spec": {"containers": [container("sleep", "9", name="main", image="busybox")]}}},
    }),
}  # fmt: skip

ALL = {**READING, **PARSING, **SERVER, **RUNNING}


def lay(root: Path, student: str, make: Make) -> None:
    folder = root / student / ASSIGNMENT
    folder.mkdir(parents=True)
    make(folder)
