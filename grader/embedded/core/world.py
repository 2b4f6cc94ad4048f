"""Everything that makes the objects in the Store live, behind one façade.

The API writes objects; the World's controllers, scheduler, kubelets, proxies and DNS react through work queues that the
kernel runs. Nothing here owns a socket or a clock: the server on top connects real sockets to `dial`, and a browser or
a test could do the same.
"""

from __future__ import annotations

import random

from grader.embedded.core import addons, bootstrap, nodes
from grader.embedded.core.api.kinds.registry import STORED
from grader.embedded.core.apiendpoint import ApiEndpoint
from grader.embedded.core.controllers.autoscaler import AutoscalerController
from grader.embedded.core.controllers.base import Controller, ControllerContext
from grader.embedded.core.controllers.daemonset import DaemonSetController
from grader.embedded.core.controllers.deployment import DeploymentController
from grader.embedded.core.controllers.disruption import DisruptionController
from grader.embedded.core.controllers.endpoints import EndpointsController
from grader.embedded.core.controllers.endpointslice import EndpointSliceController
from grader.embedded.core.controllers.garbage import GarbageCollector
from grader.embedded.core.controllers.job import JobController
from grader.embedded.core.controllers.leases import LeaseController
from grader.embedded.core.controllers.loadbalancer import LoadBalancerController
from grader.embedded.core.controllers.mirroring import MirroringController
from grader.embedded.core.controllers.namespaces import NamespaceController
from grader.embedded.core.controllers.nodelifecycle import NodeLifecycleController
from grader.embedded.core.controllers.podgc import PodGarbageCollector
from grader.embedded.core.controllers.quota import QuotaController
from grader.embedded.core.controllers.replicaset import ReplicaSetController
from grader.embedded.core.controllers.scheduler import Scheduler
from grader.embedded.core.controllers.serviceaddresses import ServiceAddressController
from grader.embedded.core.controllers.statefulset import StatefulSetController
from grader.embedded.core.controllers.volumes import VolumeController
from grader.embedded.core.events import Recorder
from grader.embedded.core.index import Index
from grader.embedded.core.kernel import ConnectionReset_, Kernel, Stream
from grader.embedded.core.kubelet.agent import Kubelet, Kubelets
from grader.embedded.core.kubelet.container import Container
from grader.embedded.core.kubelet.logs import LogView
from grader.embedded.core.kubelet.machine import ContainerHost, Nameserver
from grader.embedded.core.kubelet.pod import PodWorker
from grader.embedded.core.kubelet.static import StaticPods
from grader.embedded.core.machines import Machine, Peer
from grader.embedded.core.network import Network
from grader.embedded.core.objects import Key
from grader.embedded.core.programs.host import Host
from grader.embedded.core.programs.images.running import find, run
from grader.embedded.core.programs.process import Process
from grader.embedded.core.store import Change, Store

OUTSIDE_IP = "172.18.0.100"
GATEWAY_IP = "172.18.0.1"
"""The learner's host on the shared network: what a node sees of a connection to a mapped port."""

PLACEHOLDER_CA = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"


class NotRunning(Exception):
    """The Pod or container is not there or does not run; `str()` is what a kubelet says."""


class World:
    """A running cluster.

    Attributes:
        store: its objects.
        kernel: what it runs on.
        index: quick look-ups over the objects.
        network: the virtual network.
        nameserver: the cluster's DNS.
        outside: a client on the nodes' network, outside of the cluster; runs agnhost netexec on 8080.

    """

    def __init__(
        self,
        store: Store,
        kernel: Kernel,
        *,
        name: str = nodes.CLUSTER_NAME,
        seed: int = 0,
        root_ca: str = PLACEHOLDER_CA,
    ) -> None:
        self.store = store
        self.kernel = kernel
        self.name = name
        self._root_ca = root_ca
        self.index = Index(store)
        self.random = random.Random(seed)
        self.network = Network(self.index, kernel, self.random)
        self.nameserver = Nameserver(self.network, self.index, self.random, lambda: max(1, int(kernel.now())))
        self._plans = nodes.node_plans(name)
        context = ControllerContext(store, self.index, kernel, Recorder(store), self.random)
        self.context = context
        self.kubelets = Kubelets(context)
        server = next(plan.name for plan in self._plans if plan.control_plane)
        self._controllers: tuple[Controller, ...] = (
            NamespaceController(context, root_ca),
            DeploymentController(context),
            ReplicaSetController(context),
            StatefulSetController(context),
            DaemonSetController(context),
            JobController(context),
            DisruptionController(context),
            AutoscalerController(context),
            NodeLifecycleController(context),
            PodGarbageCollector(context),
            LeaseController(context, (plan.name for plan in self._plans), server),
            StaticPods(context, addons.static_pods(server)),
            Scheduler(context),
            self.kubelets,
            EndpointSliceController(context),
            EndpointsController(context),
            MirroringController(context),
            ServiceAddressController(context),
            LoadBalancerController(context, self.network),
            VolumeController(context, self._erase),
            QuotaController(context, {plural: entry.group for plural, entry in STORED.items()}),
            GarbageCollector(context),
        )
        self._host = Machine("host", GATEWAY_IP, "outside")
        self._outside_machine = Machine("outside", OUTSIDE_IP, "outside")
        self.outside: Host = self._outside()

    def bootstrap(self) -> None:
        """Start the cluster: controllers and, where the store is empty, the objects that every cluster has.

        Each node's kubelet registers it where it is missing, and only now (pkg/kubelet/kubelet_node_status.go
        registerWithAPIServer: `registrationCompleted`): a Node that is deleted later stays away until the next start.
        """
        for plan in self._plans:
            node = self.network.add_node(plan.name, plan.ip, plan.pod_cidr)
            self.kubelets.add(Kubelet(self.context, self.network, self.nameserver, node))
            node.machine.listen(10250, _https_only)
            if plan.control_plane:
                names = bootstrap.api_names(plan.name, plan.ip)
                node.machine.listen(6443, ApiEndpoint(self.store, names, self._root_ca).serve)
        self.network.add(self._host)
        self.network.add(self._outside_machine)
        self.store.subscribe(self._on_change)
        if self.store.get("namespaces", "", "default") is None:
            for resource, obj in bootstrap.initial_objects(self.store, self._plans):
                self.store.create(resource, obj)
        else:
            for resource in self.store.resources():
                for obj in self.store.list(resource):
                    version = int(obj["metadata"]["resourceVersion"])
                    self._on_change(Change("ADDED", resource, obj, None, version))
        for plan in self._plans:
            if self.store.get("nodes", "", plan.name) is None:
                self.store.create("nodes", nodes.node(plan, self.store.now(), self.name))
        self.kernel.call_soon(self._start_outside)

    @property
    def node_ips(self) -> dict[str, str]:
        """The InternalIP of each node, by name."""
        return {plan.name: plan.ip for plan in self._plans}

    @property
    def control_plane_ip(self) -> str:
        """The InternalIP of the control plane, where the learner's host's port mappings lead."""
        return next(plan.ip for plan in self._plans if plan.control_plane)

    def runs(self, namespace: str, pod: str, container: str) -> bool:
        """Whether a container has a process, whatever the Pod's status tells of it yet."""
        worker = self.kubelets.worker((namespace, pod))
        held = worker.container(container) if worker is not None else None
        return held is not None and held.process is not None

    def exec(
        self,
        namespace: str,
        pod: str,
        container: str | None,
        argv: list[str],
        *,
        stdin: bool = False,
        tty: bool = False,
    ) -> Process:
        """Run a command in a container. Raises NotRunning, ProgramNotFound."""
        worker, held = self._container(namespace, pod, container)
        if held.process is None:
            raise NotRunning(f'unable to upgrade connection: container not found ("{held.name}")')
        return worker.runner.execute(held, argv, stdin=stdin, tty=tty)

    def attach(self, namespace: str, pod: str, container: str | None = None) -> Process:
        """The main process of a container. Raises NotRunning."""
        _, held = self._container(namespace, pod, container)
        if held.process is None:
            raise NotRunning(f"unable to upgrade connection: container {held.name} not found in pod {pod}_{namespace}")
        return held.process

    def logs(self, namespace: str, pod: str, container: str | None = None, *, previous: bool = False) -> LogView:
        """The log of a container's present run, or of the one before. Raises NotRunning."""
        _, held = self._container(namespace, pod, container)
        if previous:
            if held.previous_log is None:
                raise NotRunning(f'previous terminated container "{held.name}" in pod "{pod}" not found')
            return held.previous_log
        if held.log is None or ("waiting" in held.state and held.process is not None and not held.last):
            reason = next(iter(held.state.values())).get("reason", "")
            why = "trying and failing to pull image" if "Image" in reason else reason
            raise NotRunning(f'container "{held.name}" in pod "{pod}" is waiting to start: {why}')
        return held.log

    async def dial(self, source: str | Key, ip: str, port: int) -> Stream:
        """Connect from somewhere in the virtual network.

        Args:
            source: "host" (the learner's machine), "outside", the name of a node, or a Pod's namespace and name. From a
                Pod to 127.0.0.1 is how a port is forwarded.
            ip: the address; "localhost" is 127.0.0.1.
            port: the port.

        Raises ConnectionRefused_, NoRoute, NotRunning; waits for ever where packets are dropped.

        """
        return await self.network.connect(self.machine(source), "127.0.0.1" if ip == "localhost" else ip, port)

    def machine(self, source: str | Key) -> Machine:
        """The machine that `dial` means by a source. Raises NotRunning."""
        if source == "host":
            return self._host
        if source == "outside":
            return self._outside_machine
        if isinstance(source, str):
            if source in self.network.nodes:
                return self.network.nodes[source].machine
            raise NotRunning(f"no such node: {source}")
        worker = self.kubelets.worker(source)
        if worker is None or worker.machine is None:
            raise NotRunning(f"pod {source[0]}/{source[1]} is not running")
        return worker.machine

    def _container(self, namespace: str, pod: str, name: str | None) -> tuple[PodWorker, Container]:
        worker = self.kubelets.worker((namespace, pod))
        if worker is None:
            raise NotRunning(f'pod "{pod}" does not run on any node')
        held = worker.container(name)
        if held is None:
            raise NotRunning(f"container {name} is not valid for pod {pod}")
        return worker, held

    def _outside(self) -> ContainerHost:
        files = {
            "/etc/hostname": b"outside\n",
            "/etc/hosts": f"127.0.0.1\tlocalhost\n{OUTSIDE_IP}\toutside\n".encode(),
            "/etc/resolv.conf": f"nameserver {GATEWAY_IP}\n".encode(),
        }
        return ContainerHost(self.network, self.nameserver, self.kernel, self._outside_machine, "outside", {}, files)

    def _erase(self, node: str, path: str) -> None:
        """Remove a folder of a node, or of every node where none is named."""
        for name, kubelet in self.kubelets.by_node.items():
            if node in ("", name):
                kubelet.erase(path)

    def _start_outside(self) -> None:
        image = find(nodes.PROBE_IMAGE)
        assert image is not None
        run(self.outside, image, image.command(None, ["netexec", "--http-port=8080"]), init=True)

    def _on_change(self, change: Change) -> None:
        for controller in self._controllers:
            controller.on_change(change)


async def _https_only(stream: Stream, peer: Peer) -> None:
    """A TLS server that is not emulated: it refuses plain HTTP as Go's does, and hangs up on anything else."""
    try:
        data = await stream.recv()
        if data[:1].isalpha():
            stream.send(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
    except ConnectionReset_:
        return
    stream.close()
