"""Pods that the API refuses for their volumes and hooks; each text is kind's (1.36.3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.core.api.api_client import Api

BOX = {"name": "a", "image": "busybox:1.37"}
EMPTY = {"name": "v", "emptyDir": {}}
MOUNT = {"name": "v", "mountPath": "/m"}


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"containers": [{**BOX, "volumeMounts": [MOUNT]}]}, 'spec.containers[0].volumeMounts[0].name: Not found: "v"'),
        (
            {"volumes": [{"name": "v", "emptyDir": {}, "configMap": {"name": "x"}}]},
            "spec.volumes[0].configMap: Forbidden: may not specify more than 1 volume type",
        ),
        (
            {"containers": [{**BOX, "volumeMounts": [MOUNT, MOUNT]}], "volumes": [EMPTY]},
            'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/m": must be unique',
        ),
        (
            {"containers": [{**BOX, "volumeMounts": [{**MOUNT, "subPath": "/x/../y"}]}], "volumes": [EMPTY]},
            '[spec.containers[0].volumeMounts.subPath: Invalid value: "/x/../y": must be a relative path, '
            "spec.containers[0].volumeMounts.subPath: Invalid value: \"/x/../y\": must not contain '..']",
        ),
        (
            {"volumes": [{"name": "v", "hostPath": {"path": "/a/..", "type": "Folder"}}]},
            "[spec.volumes[0].hostPath.path: Invalid value: \"/a/..\": must not contain '..', "
            'spec.volumes[0].hostPath.type: Unsupported value: "Folder": supported values: "", "BlockDevice", '
            '"CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"]',
        ),
        (
            {"volumes": [{"name": "v", "configMap": {}}, {"name": "w", "persistentVolumeClaim": {"claimName": ""}}]},
            "[spec.volumes[0].configMap.name: Required value, spec.volumes[1].persistentVolumeClaim.claimName: "
            "Required value]",
        ),
        ({"volumes": [EMPTY, EMPTY]}, 'spec.volumes[1].name: Duplicate value: "v"'),
        (
            {"containers": [{**BOX, "lifecycle": {"postStart": {"sleep": {"seconds": 31}}}}]},
            "spec.containers[0].lifecycle.postStart.sleep: Invalid value: 31: must be non-negative and less "
            "than terminationGracePeriodSeconds (30)",
        ),
        (
            {"containers": [{**BOX, "lifecycle": {"preStop": {}}}]},
            "spec.containers[0].lifecycle.preStop: Required value: must specify a handler type",
        ),
        (
            {"containers": [{**BOX, "lifecycle": {"preStop": {"exec": {"command": ["a"]}, "httpGet": {"port": 0}}}}]},
            "spec.containers[0].lifecycle.preStop.httpGet: Forbidden: may not specify more than 1 handler type",
        ),
        (
            {
                "initContainers": [
                    {
                        "name": "i",
                        "image": "busybox:1.37",
                        "lifecycle": {"postStart": {"sleep": {"seconds": 1}}},
                        "readinessProbe": {"exec": {"command": ["a"]}},
                    }
                ]
            },
            "[spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without "
            "restartPolicy=Always, spec.initContainers[0].readinessProbe: Forbidden: may not be set for init "
            "containers without restartPolicy=Always]",
        ),
        (
            {"volumes": [{"name": "v", "emptyDir": {"sizeLimit": "-1"}}]},
            "spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity",
        ),
    ],
)
def test_a_pod_with_wrong_volumes_or_hooks_is_refused(api: Api, spec: dict[str, Any], told: str) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [BOX], **spec}}
    code, body = api.call("POST", "/api/v1/namespaces/default/pods", pod)
    assert code == 422, body
    assert body["message"].partition(" is invalid: ")[2] == told
