"""Requests that real Kubernetes 1.36 and the embedded API server must answer alike.

A case is a list of steps; the answers of a real cluster are recorded in parity.json (tools/record_parity.py).
"""

from __future__ import annotations

from typing import Any

from tests.embedded.core.api.parity_beside import BESIDE
from tests.embedded.core.api.parity_beside import CASES as BESIDE_CASES

NAMESPACE = "api-parity"
Tree = dict[str, Any]
Step = tuple[str, str, Any]
"""Method (POST, PUT or a kind of patch), path behind the namespace, body."""


def service(name: str = "web", **spec: Any) -> Tree:
    spec.setdefault("selector", {"app": "web"})
    spec.setdefault("ports", [{"port": 80}])
    spec = {key: value for key, value in spec.items() if value is not None}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def post(obj: Tree) -> Step:
    plural = PLURALS.get(obj.get("kind", ""), "v1/services")
    return ("POST", plural, obj)


PLURALS = {
        "Service": "v1/services", "Pod": "v1/pods", "Deployment": "apps/v1/deployments", "ConfigMap": "v1/configmaps",
        "EndpointSlice": "discovery.k8s.io/v1/endpointslices", "Endpoints": "v1/endpoints", "Secret": "v1/secrets",
        "ReplicaSet": "apps/v1/replicasets", "StatefulSet": "apps/v1/statefulsets", "Job": "batch/v1/jobs",
        "DaemonSet": "apps/v1/daemonsets", "ControllerRevision": "apps/v1/controllerrevisions", **BESIDE,
}  # fmt: skip


def named(obj: Tree, name: str) -> Tree:
    return {**obj, "metadata": {**obj["metadata"], "name": name}}


def patch(path: str, body: Any, kind: str = "strategic-merge-patch+json") -> Step:
    return (kind, path, body)


WEB = "v1/services/web"
CREATED: dict[str, Tree] = {
    "plain": service(),
    "no-selector": service(selector=None),
    "node-port": service(type="NodePort"),
    "node-port-given": service(type="NodePort", ports=[{"port": 80, "targetPort": 8080, "nodePort": 30051}]),
    "load-balancer": service(type="LoadBalancer", loadBalancerClass="example.com/none"),
    "load-balancer-no-node-ports": service(
        type="LoadBalancer", allocateLoadBalancerNodePorts=False, loadBalancerClass="example.com/none"
    ),
    "load-balancer-local": service(
        type="LoadBalancer", externalTrafficPolicy="Local", loadBalancerClass="example.com/none"
    ),
    "load-balancer-health-port": service(
        type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=30052, loadBalancerClass="example.com/none"
    ),
    "load-balancer-ranges": service(
        type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/8 "], loadBalancerClass="example.com/none"
    ),
    "load-balancer-ranges-bad": service(
        type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0"], loadBalancerClass="example.com/none"
    ),
    "load-balancer-ranges-host-bits": service(
        type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.1/8"], loadBalancerClass="example.com/none"
    ),
    "load-balancer-class-bad": service(type="LoadBalancer", loadBalancerClass="a b"),
    "headless": service(clusterIP="None"),
    "headless-selectorless": service(clusterIP="None", selector=None),
    "headless-no-ports": service(clusterIP="None", ports=None),
    "headless-node-port": service(clusterIP="None", type="NodePort"),
    "headless-load-balancer": service(clusterIP="None", type="LoadBalancer"),
    "headless-affinity": service(clusterIP="None", sessionAffinity="ClientIP"),
    "external-name": service(type="ExternalName", externalName="example.com", ports=None, selector=None),
    "external-name-dot": service(type="ExternalName", externalName="example.com.", ports=None, selector=None),
    "external-name-port": service(type="ExternalName", externalName="example.com"),
    "external-name-missing": service(type="ExternalName", ports=None),
    "external-name-bad": service(type="ExternalName", externalName="http://example.com", ports=None),
    "external-name-ip": service(type="ExternalName", externalName="192.0.2.1", ports=None),
    "external-name-cluster-ip": service(type="ExternalName", externalName="example.com", clusterIP="10.96.0.9"),
    "external-name-none": service(type="ExternalName", externalName="example.com", clusterIP="None"),
    "external-name-families": service(
        type="ExternalName", externalName="example.com", ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack"
    ),
    "external-name-node-port": service(type="ExternalName", externalName="a.b", ports=[{"port": 80, "nodePort": 30053}]),
    "external-name-unused": service(externalName="example.com"),
    "no-ports": service(ports=None),
    "empty-ports": service(ports=[]),
    "port-zero": service(ports=[{"port": 0}]),
    "port-missing": service(ports=[{"targetPort": 80}]),
    "port-too-big": service(ports=[{"port": 65536}]),
    "port-negative": service(ports=[{"port": -1}]),
    "port-text": service(ports=[{"port": "80"}]),
    "port-text-name": service(ports=[{"port": "http"}]),
    "port-fraction": service(ports=[{"port": 80.5}]),
    "port-bool": service(ports=[{"port": True}]),
    "port-huge": service(ports=[{"port": 99999999999}]),
    "target-zero": service(ports=[{"port": 80, "targetPort": 0}]),
    "target-too-big": service(ports=[{"port": 80, "targetPort": 70000}]),
    "target-name": service(ports=[{"port": 80, "targetPort": "http"}]),
    "target-name-long": service(ports=[{"port": 80, "targetPort": "a-very-long-port-name"}]),
    "target-name-digits": service(ports=[{"port": 80, "targetPort": "8080"}]),
    "target-name-upper": service(ports=[{"port": 80, "targetPort": "HTTP"}]),
    "target-name-hyphens": service(ports=[{"port": 80, "targetPort": "-a--b"}]),
    "target-list": service(ports=[{"port": 80, "targetPort": [80]}]),
    "protocol-udp": service(ports=[{"port": 53, "protocol": "UDP"}]),
    "protocol-bad": service(ports=[{"port": 80, "protocol": "HTTP"}]),
    "protocol-lower": service(ports=[{"port": 80, "protocol": "tcp"}]),
    "app-protocol": service(ports=[{"port": 80, "appProtocol": "kubernetes.io/h2c"}]),
    "app-protocol-bad": service(ports=[{"port": 80, "appProtocol": "a b"}]),
    "two-ports": service(ports=[{"name": "a", "port": 80}, {"name": "b", "port": 81}]),
    "two-ports-unnamed": service(ports=[{"port": 80}, {"port": 81}]),
    "two-ports-one-name": service(ports=[{"name": "a", "port": 80}, {"port": 81}]),
    "two-ports-same-name": service(ports=[{"name": "a", "port": 80}, {"name": "a", "port": 81}]),
    "two-ports-same-port": service(ports=[{"name": "a", "port": 80}, {"name": "b", "port": 80}]),
    "two-protocols": service(ports=[{"name": "a", "port": 53}, {"name": "b", "port": 53, "protocol": "UDP"}]),
    "two-protocols-node-port": service(
        type="NodePort",
        ports=[{"name": "a", "port": 53, "nodePort": 30054}, {"name": "b", "port": 53, "protocol": "UDP", "nodePort": 30054}],
    ),
    "two-ports-same-node-port": service(
        type="NodePort", ports=[{"name": "a", "port": 80, "nodePort": 30055}, {"name": "b", "port": 81, "nodePort": 30055}]
    ),
    "port-name-upper": service(ports=[{"name": "HTTP", "port": 80}]),
    "port-name-long": service(ports=[{"name": "a" * 64, "port": 80}]),
    "cluster-ip-node-port": service(ports=[{"port": 80, "nodePort": 30056}]),
    "node-port-low": service(type="NodePort", ports=[{"port": 80, "nodePort": 80}]),
    "node-port-high": service(type="NodePort", ports=[{"port": 80, "nodePort": 32768}]),
    "node-port-negative": service(type="NodePort", ports=[{"port": 80, "nodePort": -1}]),
    "type-bad": service(type="Nodeport"),
    "type-empty": service(type=""),
    "cluster-ip-bad": service(clusterIP="10.96.0.300"),
    "cluster-ip-outside": service(clusterIP="192.168.1.1"),
    "cluster-ip-taken": service(clusterIP="10.96.0.1"),
    "cluster-ip-zeros": service(clusterIP="010.096.000.020"),
    "cluster-ip-v6": service(clusterIP="fd00::1"),
    "cluster-ip-network": service(clusterIP="10.96.0.0"),
    "cluster-ip-given": service(clusterIP="10.96.0.77"),
    "cluster-ips-only": service(clusterIPs=["10.96.0.78"]),
    "cluster-ips-differ": service(clusterIP="10.96.0.79", clusterIPs=["10.96.0.80"]),
    "cluster-ips-none-and-ip": service(clusterIP="None", clusterIPs=["None", "10.96.0.80"]),
    "cluster-ip-empty": service(clusterIP=""),
    "dual-stack": service(ipFamilyPolicy="RequireDualStack"),
    "dual-stack-preferred": service(ipFamilyPolicy="PreferDualStack"),
    "family-v6": service(ipFamilies=["IPv6"]),
    "family-bad": service(ipFamilies=["IPv5"]),
    "family-twice": service(ipFamilies=["IPv4", "IPv4"]),
    "family-policy-bad": service(ipFamilyPolicy="Dual"),
    "affinity": service(sessionAffinity="ClientIP"),
    "affinity-timeout": service(
        sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 86400}}
    ),
    "affinity-timeout-zero": service(
        sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 0}}
    ),
    "affinity-timeout-long": service(
        sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 86401}}
    ),
    "affinity-none-config": service(sessionAffinityConfig={"clientIP": {"timeoutSeconds": 10}}),
    "affinity-bad": service(sessionAffinity="Cookie"),
    "affinity-empty-config": service(sessionAffinity="ClientIP", sessionAffinityConfig={}),
    "external-policy-cluster-ip": service(externalTrafficPolicy="Local"),
    "external-policy-node-port": service(type="NodePort", externalTrafficPolicy="Local"),
    "external-policy-bad": service(type="NodePort", externalTrafficPolicy="local"),
    "internal-policy-local": service(internalTrafficPolicy="Local"),
    "internal-policy-bad": service(internalTrafficPolicy="Node"),
    "health-port-cluster-ip": service(healthCheckNodePort=30057),
    "health-port-cluster-policy": service(type="LoadBalancer", healthCheckNodePort=30057),
    "lb-class-cluster-ip": service(loadBalancerClass="a.b/c"),
    "lb-ranges-cluster-ip": service(loadBalancerSourceRanges=["10.0.0.0/8"]),
    "lb-allocate-cluster-ip": service(allocateLoadBalancerNodePorts=True),
    "external-ips": service(externalIPs=["192.0.2.7"]),
    "external-ips-loopback": service(externalIPs=["127.0.0.1"]),
    "external-ips-bad": service(externalIPs=["x"]),
    "external-ips-headless": service(clusterIP="None", externalIPs=["192.0.2.7"]),
    "distribution-close": service(trafficDistribution="PreferClose"),
    "distribution-zone": service(trafficDistribution="PreferSameZone"),
    "distribution-node": service(trafficDistribution="PreferSameNode"),
    "distribution-bad": service(trafficDistribution="Zone"),
    "publish-not-ready": service(clusterIP="None", publishNotReadyAddresses=True),
    "selector-empty": service(selector={}),
    "selector-number": service(selector={"app": 1}),
    "selector-list": service(selector=["app"]),
    "selector-match-labels": service(selector={"matchLabels": {"app": "web"}}),
    "selector-bad-value": service(selector={"app": "a b"}),
    "selector-bad-key": service(selector={"a b": "c"}),
    "selector-null": service(selector={"app": None}),
    "unknown-field": service(selectr={"app": "web"}),
    "unknown-fields": service(portts=[], ports=[{"port": 80, "targetport": 8080, "NodePort": 1}]),
    "unknown-root": {**service(), "sepc": {}},
    "unknown-meta": {**service(), "metadata": {"name": "web", "label": {"a": "b"}}},
    "name-upper": service("Web"),
    "name-dots": service("we.b"),
    "name-digit": service("1web"),
    "name-underscore": service("we_b"),
    "name-long": service("a" * 64),
    "name-missing": {**service(), "metadata": {}},
    "name-generated": {**service(), "metadata": {"generateName": "web-"}},
    "label-bad": {**service(), "metadata": {"name": "web", "labels": {"a": "b c", "x/y/z": ""}}},
    "label-number": {**service(), "metadata": {"name": "web", "labels": {"version": 1}}},
    "annotation-bad": {**service(), "metadata": {"name": "web", "annotations": {"a b": "c"}}},
    "annotation-bool": {**service(), "metadata": {"name": "web", "annotations": {"a": True}}},
    "namespace-other": {**service(), "metadata": {"name": "web", "namespace": "other"}},
    "version-wrong": {**service(), "apiVersion": "apps/v1"},
    "version-wrong-2": {**service(), "apiVersion": "v2"},
    "kind-wrong": {**service(), "kind": "Servic"},
    "kind-other": {**service(), "kind": "Pod"},
    "kind-missing": {key: value for key, value in service().items() if key != "kind"},
    "spec-missing": {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}},
    "spec-null": {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": None},
    "spec-list": {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": []},
    "ports-object": service(ports={"port": 80}),
    "ports-number": service(ports=[80]),
    "metadata-text": {**service(), "metadata": "web"},
    "resource-version": {**service(), "metadata": {"name": "web", "resourceVersion": "1"}},
    "lb-ip": service(type="LoadBalancer", loadBalancerIP="192.0.2.9", loadBalancerClass="example.com/none"),
    "topology": {
        **service(), "metadata": {"name": "web", "annotations": {"service.kubernetes.io/topology-aware-hints": "auto"}},
    },
}  # fmt: skip


def container(**fields: Any) -> Tree:
    base = {"name": "c", "image": "registry.k8s.io/pause:3.10", **fields}
    return {key: value for key, value in base.items() if value is not None}


def pod(*containers: Tree, **spec: Any) -> Tree:
    spec.setdefault("containers", list(containers) or [container()])
    spec.setdefault("nodeName", "")
    spec.setdefault("schedulerName", "nobody")
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


def deployment(*containers: Tree, labels: Any = None, selector: Any = None, **spec: Any) -> Tree:
    labels = {"app": "web"} if labels is None else labels
    selector = {"matchLabels": {"app": "web"}} if selector is None else selector
    template = {"metadata": {"labels": labels}, "spec": {"containers": list(containers) or [container()]}}
    full = {"replicas": 0, "selector": selector, "template": template, **spec}
    full = {key: value for key, value in full.items() if value is not None and value is not False}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": full}


def stateful_set(*containers: Tree, **fields: Any) -> Tree:
    return {**deployment(*containers, **{"serviceName": "web", **fields}), "kind": "StatefulSet"}


def daemon_set(*containers: Tree, **fields: Any) -> Tree:
    made = deployment(*containers, replicas=None, **fields)
    template = made["spec"]["template"]
    nowhere = {**template, "spec": {**template["spec"], "nodeSelector": {"no": "where"}}}
    return {**made, "kind": "DaemonSet", "spec": {**made["spec"], "template": nowhere}}


def probe(**fields: Any) -> Tree:
    return container(readinessProbe=fields)


WORKLOADS: dict[str, Tree] = {
    "pod": pod(),
    "pod-no-containers": pod(containers=[]),
    "pod-containers-missing": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {}},
    "pod-no-image": pod(container(image=None)),
    "pod-empty-image": pod(container(image="")),
    "pod-image-space": pod(container(image=" nginx")),
    "pod-no-container-name": pod(container(name=None)),
    "pod-container-name-upper": pod(container(name="Web_1")),
    "pod-same-names": pod(container(), container()),
    "pod-port": pod(container(ports=[{"containerPort": 80, "name": "http"}])),
    "pod-port-zero": pod(container(ports=[{"containerPort": 0}])),
    "pod-port-big": pod(container(ports=[{"containerPort": 70000}])),
    "pod-port-name": pod(container(ports=[{"containerPort": 80, "name": "a-very-long-port-name"}])),
    "pod-port-same-names": pod(container(ports=[{"containerPort": 80, "name": "a"}, {"containerPort": 81, "name": "a"}])),
    "pod-port-protocol": pod(container(ports=[{"containerPort": 80, "protocol": "HTTP"}])),
    "pod-port-text": pod(container(ports=[{"containerPort": "80"}])),
    "pod-env-number": pod(container(env=[{"name": "A", "value": 1}])),
    "pod-env-no-name": pod(container(env=[{"value": "1"}])),
    "pod-command-text": pod(container(command="sleep 1")),
    "pod-args-number": pod(container(args=["sleep", 1])),
    "pod-mount-missing": pod(container(volumeMounts=[{"name": "x", "mountPath": "/x"}])),
    "pod-restart-policy": pod(restartPolicy="Sometimes"),
    "pod-dns-policy": pod(dnsPolicy="Cluster"),
    "pod-pull-policy": pod(container(imagePullPolicy="Sometimes")),
    "pod-probe-http": pod(probe(httpGet={"port": 80})),
    "pod-probe-none": pod(probe(periodSeconds=1)),
    "pod-probe-two": pod(probe(httpGet={"port": 80}, tcpSocket={"port": 80})),
    "pod-probe-port": pod(probe(httpGet={"port": 0})),
    "pod-probe-port-name": pod(probe(tcpSocket={"port": "a b"})),
    "pod-probe-exec": pod(probe(exec={})),
    "pod-probe-negative": pod(probe(httpGet={"port": 80}, periodSeconds=-1)),
    "pod-liveness-success": pod(container(livenessProbe={"httpGet": {"port": 80}, "successThreshold": 2})),
    "pod-unknown": pod(container(port=[{"containerPort": 80}])),
    "pod-hostname": pod(hostname="a.b"),
    "pod-node-selector": pod(nodeSelector={"a": "b c"}),
    "pod-volume-empty": pod(container(volumeMounts=[{"name": "x", "mountPath": "/x"}]), volumes=[{"name": "x"}]),
    "pod-volumes-twice": pod(volumes=[{"name": "x", "emptyDir": {}}, {"name": "x", "emptyDir": {}}]),
    "pod-service-account": pod(serviceAccountName="nobody"),
    "deployment": deployment(),
    "deployment-mismatch": deployment(labels={"app": "other"}),
    "deployment-no-selector": deployment(selector=False),
    "deployment-empty-selector": deployment(selector={}),
    "deployment-plain-selector": deployment(selector={"app": "web"}),
    "deployment-no-template": deployment(template=None),
    "deployment-negative": deployment(replicas=-1),
    "deployment-text": deployment(replicas="3"),
    "deployment-strategy": deployment(strategy={"type": "Rolling"}),
    "deployment-recreate": deployment(strategy={"type": "Recreate"}),
    "deployment-recreate-rolling": deployment(strategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}),
    "deployment-zero-zero": deployment(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}),
    "deployment-percent": deployment(strategy={"rollingUpdate": {"maxSurge": "x"}}),
    "deployment-name": {**deployment(), "metadata": {"name": "D_1"}},
    "deployment-image": deployment(container(image=None)),
    "deployment-restart": deployment(
        template={
            "metadata": {"labels": {"app": "web"}}, "spec": {"restartPolicy": "Never", "containers": [container()]}
        }
    ),
    "replica-set": {**deployment(), "kind": "ReplicaSet"},
    "replica-set-mismatch": {**deployment(labels={"a": "b"}), "kind": "ReplicaSet"},
    "stateful-set": stateful_set(),
    "stateful-set-no-selector": stateful_set(selector=False),
    "stateful-set-empty-selector": stateful_set(selector={}),
    "stateful-set-mismatch": stateful_set(labels={"app": "other"}),
    "stateful-set-negative": stateful_set(replicas=-1),
    "stateful-set-parallel": stateful_set(podManagementPolicy="Parallel"),
    "stateful-set-policy": stateful_set(podManagementPolicy="Sideways"),
    "stateful-set-on-delete": stateful_set(updateStrategy={"type": "OnDelete"}),
    "stateful-set-on-delete-rolling": stateful_set(updateStrategy={"type": "OnDelete", "rollingUpdate": {"partition": 1}}),
    "stateful-set-strategy": stateful_set(updateStrategy={"type": "Recreate"}),
    "stateful-set-strategy-bare": stateful_set(updateStrategy={"type": "RollingUpdate"}),
    "stateful-set-partition": stateful_set(updateStrategy={"rollingUpdate": {"partition": 2}}),
    "stateful-set-partition-negative": stateful_set(updateStrategy={"rollingUpdate": {"partition": -1}}),
    "stateful-set-max-unavailable": stateful_set(updateStrategy={"rollingUpdate": {"maxUnavailable": 2}}),
    "stateful-set-retention": stateful_set(persistentVolumeClaimRetentionPolicy={"whenScaled": "Delete"}),
    "stateful-set-retention-bad": stateful_set(persistentVolumeClaimRetentionPolicy={"whenScaled": "Keep"}),
    "stateful-set-ordinals": stateful_set(ordinals={"start": 3}),
    "stateful-set-ordinals-negative": stateful_set(ordinals={"start": -1}),
    "stateful-set-service-name": stateful_set(serviceName="a.b"),
    "stateful-set-no-service-name": stateful_set(serviceName=None),
    "stateful-set-name": named(stateful_set(), "a.b"),
    "stateful-set-history": stateful_set(revisionHistoryLimit=-1),
    "stateful-set-min-ready": stateful_set(minReadySeconds=-1),
    "stateful-set-several": stateful_set(podManagementPolicy="x", replicas=-1, serviceName="A", selector=False),
    "stateful-set-restart": stateful_set(
        template={"metadata": {"labels": {"app": "web"}}, "spec": {"restartPolicy": "Never", "containers": [container()]}}
    ),
    "stateful-set-deadline": stateful_set(
        template={"metadata": {"labels": {"app": "web"}}, "spec": {"activeDeadlineSeconds": 5, "containers": [container()]}}
    ),
    "stateful-set-hostname": stateful_set(
        template={
            "metadata": {"labels": {"app": "web"}},
            "spec": {"hostname": "a.b", "subdomain": "C", "containers": [container()]},
        }
    ),
    "daemon-set": daemon_set(),
    "daemon-set-no-selector": daemon_set(selector=False),
    "daemon-set-empty-selector": daemon_set(selector={}),
    "daemon-set-mismatch": daemon_set(labels={"app": "other"}),
    "daemon-set-on-delete": daemon_set(updateStrategy={"type": "OnDelete"}),
    "daemon-set-strategy": daemon_set(updateStrategy={"type": "Recreate"}),
    "daemon-set-strategy-rolling": daemon_set(updateStrategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}),
    "daemon-set-surge": daemon_set(updateStrategy={"rollingUpdate": {"maxSurge": "30%", "maxUnavailable": 0}}),
    "daemon-set-surge-alone": daemon_set(updateStrategy={"rollingUpdate": {"maxSurge": 1}}),
    "daemon-set-zero-zero": daemon_set(updateStrategy={"rollingUpdate": {"maxUnavailable": 0}}),
    "daemon-set-percent": daemon_set(updateStrategy={"rollingUpdate": {"maxUnavailable": "x"}}),
    "daemon-set-more-than-all": daemon_set(updateStrategy={"rollingUpdate": {"maxUnavailable": "200%"}}),
    "daemon-set-min-ready": daemon_set(minReadySeconds=-1),
    "daemon-set-history": daemon_set(revisionHistoryLimit=-1),
    "daemon-set-name": named(daemon_set(), "D_1"),
    "daemon-set-replicas": {**daemon_set(), "spec": {**daemon_set()["spec"], "replicas": 2}},
    "daemon-set-generation": {
        **daemon_set(),
        "metadata": {"name": "d", "annotations": {"deprecated.daemonset.template.generation": "7", "a": "b"}},
    },
    "controller-revision": {
        "apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": "r"}, "revision": 1, "data": {"a": 1}
    },
    "controller-revision-no-data": {
        "apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": "r"}, "revision": 1
    },
    "controller-revision-negative": {
        "apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": "r"}, "revision": -1, "data": {"a": 1}
    },
    "config-map": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "b"}},
    "config-map-key": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a b": "c"}},
    "config-map-number": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": 1}},
    "secret": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "b"}},
}  # fmt: skip


def endpoint_slice(**fields: Any) -> Tree:
    base = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "s", "labels": {"kubernetes.io/service-name": "nothing"}},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 80}],
        "endpoints": [{"addresses": ["192.0.2.1"]}],
        **fields,
    }
    return {key: value for key, value in base.items() if value is not None}


def endpoints(*subsets: Tree) -> Tree:
    return {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "e"}, "subsets": list(subsets)}


SLICES: dict[str, Tree] = {
    "slice": endpoint_slice(),
    "slice-no-type": endpoint_slice(addressType=None),
    "slice-bad-type": endpoint_slice(addressType="IP"),
    "slice-no-addresses": endpoint_slice(endpoints=[{"addresses": []}]),
    "slice-addresses-missing": endpoint_slice(endpoints=[{}]),
    "slice-loopback": endpoint_slice(endpoints=[{"addresses": ["127.0.0.1"]}]),
    "slice-link-local": endpoint_slice(endpoints=[{"addresses": ["169.254.1.1"]}]),
    "slice-v6": endpoint_slice(endpoints=[{"addresses": ["2001:db8::1"]}]),
    "slice-name": endpoint_slice(endpoints=[{"addresses": ["example.com"]}]),
    "slice-zeros": endpoint_slice(endpoints=[{"addresses": ["192.0.02.1"]}]),
    "slice-fqdn": endpoint_slice(addressType="FQDN", endpoints=[{"addresses": ["example.com"]}]),
    "slice-no-ports": endpoint_slice(ports=None),
    "slice-port-big": endpoint_slice(ports=[{"port": 70000}]),
    "slice-port-names": endpoint_slice(ports=[{"name": "a", "port": 80}, {"name": "a", "port": 81}]),
    "slice-port-name-upper": endpoint_slice(ports=[{"name": "A", "port": 80}]),
    "slice-port-protocol": endpoint_slice(ports=[{"protocol": "HTTP", "port": 80}]),
    "slice-no-endpoints": endpoint_slice(endpoints=None),
    "slice-conditions": endpoint_slice(endpoints=[{"addresses": ["192.0.2.1"], "conditions": {"ready": True}}]),
    "slice-two-addresses": endpoint_slice(endpoints=[{"addresses": ["192.0.2.1", "192.0.2.2"]}]),
    "endpoints": endpoints({"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 80}]}),
    "endpoints-empty-subset": endpoints({"ports": [{"port": 80}]}),
    "endpoints-loopback": endpoints({"addresses": [{"ip": "127.0.0.1"}], "ports": [{"port": 80}]}),
    "endpoints-unnamed": endpoints({"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 80}, {"port": 81}]}),
    "endpoints-no-ip": endpoints({"addresses": [{"hostname": "a"}], "ports": [{"port": 80}]}),
}

TO_NODE_PORT = {"spec": {"type": "NodePort"}}
TO_CLUSTER_IP = {"spec": {"type": "ClusterIP"}}
LB = {"loadBalancerClass": "example.com/none"}

CHANGED: dict[str, list[Step]] = {
    "type-there-and-back": [post(service()), patch(WEB, TO_NODE_PORT), patch(WEB, TO_CLUSTER_IP)],
    "to-external-name": [
        post(service()),
        patch(WEB, {"spec": {"type": "ExternalName", "externalName": "example.com"}}),
        patch(WEB, TO_CLUSTER_IP),
    ],
    "to-external-name-without-name": [post(service()), patch(WEB, {"spec": {"type": "ExternalName"}})],
    "to-headless": [post(service()), patch(WEB, {"spec": {"clusterIP": "None"}})],
    "from-headless": [post(service(clusterIP="None")), patch(WEB, {"spec": {"clusterIP": "10.96.0.81"}})],
    "headless-to-node-port": [post(service(clusterIP="None")), patch(WEB, TO_NODE_PORT)],
    "other-cluster-ip": [post(service(clusterIP="10.96.0.82")), patch(WEB, {"spec": {"clusterIP": "10.96.0.83"}})],
    "unset-cluster-ip": [post(service(clusterIP="10.96.0.84")), patch(WEB, {"spec": {"clusterIP": None}})],
    "put-without-cluster-ip": [post(service()), ("PUT", WEB, service(ports=[{"port": 81}]))],
    "put-node-port-kept": [post(service(type="NodePort")), ("PUT", WEB, service(type="NodePort"))],
    "put-stale": [post(service()), ("PUT", WEB, {**service(), "metadata": {"name": "web", "resourceVersion": "1"}})],
    "put-other-name": [post(service()), ("PUT", WEB, service("other"))],
    "put-missing": [("PUT", WEB, service())],
    "node-port-moves": [
        post(service(type="NodePort", ports=[{"port": 80, "nodePort": 30061}])),
        patch(WEB, {"spec": {"ports": [{"port": 80, "nodePort": 30062}]}}),
    ],
    "node-port-taken": [
        post(service(type="NodePort", ports=[{"port": 80, "nodePort": 30063}])),
        post(service("two", type="NodePort", ports=[{"port": 80, "nodePort": 30063}])),
    ],
    "cluster-ip-taken-twice": [post(service(clusterIP="10.96.0.85")), post(service("two", clusterIP="10.96.0.85"))],
    "node-port-given-up": [
        post(service(type="NodePort", ports=[{"port": 80, "nodePort": 30064}])),
        patch(WEB, TO_CLUSTER_IP),
        post(service("two", type="NodePort", ports=[{"port": 80, "nodePort": 30064}])),
    ],
    "node-port-changed-with-type": [
        post(service(type="NodePort", ports=[{"port": 80, "nodePort": 30065}])),
        patch(WEB, {"spec": {"type": "ClusterIP", "ports": [{"port": 80, "nodePort": 30066}]}}),
    ],
    "port-added": [post(service(ports=[{"port": 80, "name": "a"}])), patch(WEB, {"spec": {"ports": [{"port": 81, "name": "b"}]}})],
    "port-added-unnamed": [post(service()), patch(WEB, {"spec": {"ports": [{"port": 81}]}})],
    "port-removed": [
        post(service(ports=[{"port": 80, "name": "a"}, {"port": 81, "name": "b"}])),
        patch(WEB, {"spec": {"ports": [{"$patch": "delete", "port": 81}]}}),
    ],
    "port-merge-replaces": [post(service()), patch(WEB, {"spec": {"ports": [{"port": 81}]}}, "merge-patch+json")],
    "port-json": [
        post(service()),
        patch(WEB, [{"op": "replace", "path": "/spec/ports/0/targetPort", "value": "http"}], "json-patch+json"),
    ],
    "json-missing-path": [post(service()), patch(WEB, [{"op": "remove", "path": "/spec/nothing"}], "json-patch+json")],
    "json-test-fails": [
        post(service()), patch(WEB, [{"op": "test", "path": "/spec/type", "value": "NodePort"}], "json-patch+json"),
    ],
    "json-not-a-list": [post(service()), patch(WEB, {"op": "remove"}, "json-patch+json")],
    "merge-unknown": [post(service()), patch(WEB, {"spec": {"foo": 1}}, "merge-patch+json")],
    "strategic-unknown": [post(service()), patch(WEB, {"spec": {"foo": 1}})],
    "strategic-wrong-type": [post(service()), patch(WEB, {"spec": {"ports": [{"port": "x"}]}})],
    "merge-wrong-type": [post(service()), patch(WEB, {"spec": {"ports": 1}}, "merge-patch+json")],
    "merge-port-zero": [post(service()), patch(WEB, {"spec": {"ports": [{"port": 0}]}}, "merge-patch+json")],
    "patch-kind": [post(service()), patch(WEB, {"kind": "Pod"}, "merge-patch+json")],
    "patch-name": [post(service()), patch(WEB, {"metadata": {"name": "other"}}, "merge-patch+json")],
    "patch-missing": [patch(WEB, TO_NODE_PORT)],
    "selector-replaced-by-merge": [post(service()), patch(WEB, {"spec": {"selector": {"x": "y"}}})],
    "selector-removed": [post(service()), patch(WEB, {"spec": {"selector": None}})],
    "affinity-on-off": [
        post(service()), patch(WEB, {"spec": {"sessionAffinity": "ClientIP"}}), patch(WEB, {"spec": {"sessionAffinity": "None"}}),
    ],
    "policy-local-then-cluster-ip": [
        post(service(type="LoadBalancer", externalTrafficPolicy="Local", **LB)),
        patch(WEB, {"spec": {"externalTrafficPolicy": "Cluster"}}),
        patch(WEB, TO_NODE_PORT),
        patch(WEB, TO_CLUSTER_IP),
    ],
    "class-changed": [post(service(type="LoadBalancer", **LB)), patch(WEB, {"spec": {"loadBalancerClass": "example.com/b"}})],
    "health-port-changed": [
        post(service(type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=30067, **LB)),
        patch(WEB, {"spec": {"healthCheckNodePort": 30068}}),
    ],
    "families-changed": [post(service()), patch(WEB, {"spec": {"ipFamilies": ["IPv6"]}})],
    "policy-dual": [post(service()), patch(WEB, {"spec": {"ipFamilyPolicy": "RequireDualStack"}})],
    "twice": [post(service()), post(service())],
    "status-ignored": [post({**service(), "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.3"}]}}})],
    "status-written": [
        post(service(type="LoadBalancer", **LB)),
        patch(f"{WEB}/status", {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.3"}]}}}, "merge-patch+json"),
        patch(WEB, TO_CLUSTER_IP),
    ],
    "stateful-set-service-name": [
        post(stateful_set()), patch("apps/v1/statefulsets/d", {"spec": {"serviceName": "other"}}),
    ],
    "stateful-set-selector": [
        post(stateful_set()), patch("apps/v1/statefulsets/d", {"spec": {"selector": {"matchLabels": {"x": "y"}}}}),
    ],
    "stateful-set-replicas-negative": [
        post(stateful_set()), patch("apps/v1/statefulsets/d/scale", {"spec": {"replicas": -1}}, "merge-patch+json"),
    ],
    "stateful-set-strategy": [
        post(stateful_set()), patch("apps/v1/statefulsets/d", {"spec": {"updateStrategy": {"type": "OnDelete"}}}),
    ],
    "daemon-set-selector": [
        post(daemon_set()), patch("apps/v1/daemonsets/d", {"spec": {"selector": {"matchLabels": {"x": "y"}}}}),
    ],
    "daemon-set-scale": [
        post(daemon_set()), patch("apps/v1/daemonsets/d/scale", {"spec": {"replicas": 2}}, "merge-patch+json"),
    ],
    "controller-revision-data": [
        post(WORKLOADS["controller-revision"]),
        patch("apps/v1/controllerrevisions/r", {"data": {"a": 2}}, "merge-patch+json"),
    ],
    "deployment-selector": [
        post(deployment()),
        patch(
            "apps/v1/deployments/d",
            {
                "spec": {
                    "selector": {"matchLabels": {"app": "x"}},
                    "template": {"metadata": {"labels": {"app": "x"}}},
                }
            },
            "merge-patch+json",
        ),
    ],
    "deployment-label": [
        post(deployment()),
        patch("apps/v1/deployments/d", {"spec": {"template": {"metadata": {"labels": {"app": "x"}}}}}),
    ],
    "deployment-image": [
        post(deployment()),
        patch("apps/v1/deployments/d", {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": ""}]}}}}),
    ],
    "deployment-container-added": [
        post(deployment()),
        patch("apps/v1/deployments/d", {"spec": {"template": {"spec": {"containers": [{"name": "e", "image": "x"}]}}}}),
    ],
    "scale": [post(deployment()), patch("apps/v1/deployments/d/scale", {"spec": {"replicas": -1}}, "merge-patch+json")],
    "scale-ok": [post(deployment(selector={"matchLabels": {"app": "web"}})), ("GET", "apps/v1/deployments/d/scale", None)],
    "slice-type": [
        post(endpoint_slice()),
        patch("discovery.k8s.io/v1/endpointslices/s", {"addressType": "IPv6", "endpoints": []}, "merge-patch+json"),
    ],
    "pod-image": [
        post(pod()), patch("v1/pods/p", {"spec": {"containers": [{"name": "c", "image": "registry.k8s.io/pause:3.9"}]}}),
    ],
    "pod-restart": [post(pod()), patch("v1/pods/p", {"spec": {"restartPolicy": "Never"}})],
    "pod-label": [post(pod()), patch("v1/pods/p", {"metadata": {"labels": {"app": "web"}}})],
    "pod-container": [post(pod()), patch("v1/pods/p", {"spec": {"containers": [{"name": "d", "image": "x"}]}})],
    "get-missing": [("GET", WEB, None)],
    "delete-missing": [("DELETE", WEB, None)],
    "delete": [post(service()), ("DELETE", WEB, None)],
    "field-selector": [("GET", "v1/services?fieldSelector=spec.x%3Dy", None)],
    "label-selector": [("GET", "v1/services?labelSelector=a%3D%3D%3Db", None)],
}  # fmt: skip

APPLY = "apply-patch+yaml"


def applied(obj: Tree, manager: str, *, force: bool = False) -> Step:
    return (APPLY, f"{WEB}?fieldManager={manager}&force={str(force).lower()}&fieldValidation=Strict", obj)


APPLIED: dict[str, list[Step]] = {
    "apply-creates": [applied(service(), "a")],
    "apply-twice": [applied(service(), "a"), applied(service(), "a")],
    "apply-shares": [applied(service(), "a"), applied(service(), "b")],
    "apply-conflict": [applied(service(), "a"), applied(service(selector={"x": "y"}), "b")],
    "apply-conflicts": [
        applied(service(type="NodePort", sessionAffinity="ClientIP"), "a"),
        applied(service(type="ClusterIP", sessionAffinity="None", selector={"x": "y"}), "b"),
    ],
    "apply-force": [applied(service(), "a"), applied(service(selector={"x": "y"}), "b", force=True)],
    "apply-gives-up": [
        applied(service(sessionAffinity="ClientIP", internalTrafficPolicy="Local"), "a"), applied(service(), "a"),
    ],
    "apply-gives-up-shared": [
        applied(service(internalTrafficPolicy="Local"), "a"),
        applied(service(internalTrafficPolicy="Local"), "b"),
        applied(service(), "a"),
    ],
    "apply-second-port": [
        applied(service(ports=[{"port": 80, "name": "a"}]), "a"), applied(service(ports=[{"port": 81, "name": "b"}]), "b"),
    ],
    "apply-port-removed": [
        applied(service(ports=[{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]), "a"),
        applied(service(ports=[{"port": 81, "name": "b"}]), "a"),
    ],
    "apply-over-update": [post(service()), applied(service(ports=[{"port": 80, "targetPort": 8080}]), "a")],
    "apply-unknown": [applied(service(selectr={}), "a")],
    "apply-invalid": [applied(service(ports=[{"port": 0}]), "a")],
    "apply-no-manager": [(APPLY, WEB, service())],
    "apply-managed-fields": [applied({**service(), "metadata": {"name": "web", "managedFields": [{}]}}, "a")],
    "apply-other-name": [applied(service("other"), "a")],
    "update-after-apply": [applied(service(), "a"), patch(WEB, {"metadata": {"labels": {"x": "y"}}}), patch(WEB, TO_NODE_PORT)],
}  # fmt: skip


DRY = "v1/services?dryRun=All"
LONG = "A" * 64
RELABELLED = {"metadata": {"labels": {"kubernetes.io/service-name": "other"}}}
FOUND: dict[str, list[Step]] = {
    # found by tests/e2e/test_fuzz_live.py
    "app-protocol-long": [post(service(ports=[{"port": 80, "appProtocol": LONG}]))],
    "label-key-long": [post({**service(), "metadata": {"name": "web", "labels": {"k" * 64: "日" * 22}}})],
    "slice-app-protocol": [post(endpoint_slice(ports=[{"name": "a", "port": 80, "appProtocol": LONG}]))],
    "slice-node-name": [post(endpoint_slice(endpoints=[{"addresses": ["192.0.2.7"], "nodeName": "Node 1"}]))],
    "slice-hints": [
        post(endpoint_slice(endpoints=[{"addresses": ["192.0.2.7"], "hints": {"forZones": [{"name": "a b"}] * 2}}])),
    ],
    "slice-hints-many": [
        post(endpoint_slice(endpoints=[{"addresses": ["192.0.2.7"], "hints": {"forNodes": [{"name": "n"}] * 9}}])),
    ],
    "slice-topology": [
        post(endpoint_slice(endpoints=[{"addresses": ["192.0.2.7"], "deprecatedTopology": {"topology.kubernetes.io/zone": "a"}}])),
    ],
    "slice-empty-lists": [post(endpoint_slice(endpoints=[], ports=[]))],
    "slice-relabelled": [
        post(endpoint_slice()), patch("discovery.k8s.io/v1/endpointslices/s", RELABELLED, "merge-patch+json"),
    ],
    "type-name": [post(service(externalTrafficPolicy={}))],
    "type-name-list": [post(service(ipFamilies=[7]))],
    "headless-type-bad": [post(service(clusterIP="None", type="Nodeport", ports=[]))],
    "external-name-internal-policy": [
        post(service(type="ExternalName", externalName="example.com", internalTrafficPolicy="Local")),
    ],
    "external-name-family-policy-empty": [post(service(type="ExternalName", externalName="a.b", ipFamilyPolicy=""))],
    "external-name-keeps-address": [
        post(service()),
        ("PUT", WEB, service(type="ExternalName", externalName="a.b", clusterIP="10.96.200.9")),
    ],
    "dry-run": [("POST", DRY, service(type="NodePort"))],
    "dry-run-node-port": [("POST", DRY, service(type="NodePort", ports=[{"port": 80, "nodePort": 29999}]))],
    "dry-run-cluster-ip": [("POST", DRY, service(clusterIP="192.168.1.1"))],
    "dry-run-no-name": [("POST", DRY, {**service(), "metadata": {}})],
    "node-ports-collide-by-name": [
        post(
            service(
                type="NodePort",
                ports=[
                    {"port": 53, "name": "a", "protocol": "UDP", "nodePort": 30058},
                    {"port": 53, "name": "b", "nodePort": 30058},
                ],
            )
        ),
        ("PUT", WEB, service(type="NodePort", ports=[{"port": 80, "name": "a"}, {"port": 81, "name": "b"}])),
    ],
}  # fmt: skip


def all_cases() -> dict[str, list[Step]]:
    """Every case by name."""
    single = {**CREATED, **WORKLOADS, **SLICES}
    cases: dict[str, list[Step]] = {f"create/{name}": [("POST", "v1/services", obj)] for name, obj in CREATED.items()}
    cases |= {f"create/{name}": [post(obj)] for name, obj in single.items() if name not in CREATED}
    cases |= {f"change/{name}": steps for name, steps in CHANGED.items()}
    cases |= {f"found/{name}": steps for name, steps in FOUND.items()}
    cases |= {f"beside/{name}": [post(obj)] for name, obj in BESIDE_CASES.items()}
    return cases | {f"apply/{name}": steps for name, steps in APPLIED.items()}
