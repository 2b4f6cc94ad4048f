"""The images the embedded cluster knows: a name for a set of programs and a default command.

Those of Kubernetes' own pages, as far as their sources are public: echoserver (kubernetes/ingress-nginx,
images/echo-server), serve_hostname (kubernetes/test/images/agnhost, into which it went), hello-app
(GoogleCloudPlatform/kubernetes-engine-samples), kubernetes-bootcamp (kubernetes.io's tutorial shows its server.js),
nginx-slim (whose nginx is taken to be 1.21.6, which is not documented; 0.8 has 1.11.1), jessie-dnsutils and
glibc-dns-testing (kubernetes/test/images), netshoot (nicolaka/netshoot, Dockerfile) and whoami (traefik/whoami).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from grader.embedded.core.programs.images.catalogue import (
    AGNHOST,
    ALPINE,
    BUSYBOX,
    CURL_ALPINE,
    DEBIAN,
    GLIBC_DNS,
    NETSHOOT,
)


@dataclass(frozen=True)
class ImageSpec:
    """An image.

    Attributes:
        name: the repository in short, such as `nginx`.
        version: version of what the image is about, such as `1.29.4`.
        flavour: whose tools it has: `busybox` (Alpine too) or `debian`.
        entrypoint: as in the image's configuration.
        args: default arguments (CMD).
        env: environment set by the image.
        programs: names of the programs that can be run.
        ports: ports that the image says it exposes.
        stop_signal: what the kubelet sends to end it: 15 or the image's STOPSIGNAL.
        shell: the program behind `/bin/sh`, for its prompt and messages: ash, busybox, dash; "" where there is none.
        user: numeric user id that programs run as.
        user_name: the user's name where the image's configuration has that instead of the number.
        versions: tag → version where tags are not versions of what the image is about; of other tags it is `version`.
        tags: what a tag may be; None: anything plausible.
    """

    name: str
    version: str
    flavour: str
    entrypoint: tuple[str, ...]
    args: tuple[str, ...]
    programs: frozenset[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    stop_signal: int = 15
    shell: str = "ash"
    user: int = 0
    user_name: str = ""
    versions: Mapping[str, str] | None = None
    tags: str | None = None

    def command(self, command: list[str] | None, args: list[str] | None) -> list[str]:
        """The command line of a container, from its `command` and `args` (Kubernetes' rule: command resets both)."""
        if command:
            return [*command, *(args or ())]
        return [*self.entrypoint, *(args if args is not None and args else self.args)]

    def older_than(self, *version: int) -> bool:
        """Whether its version comes before another one."""
        return tuple(int(part) for part in self.version.split(".")[: len(version)]) < version


_NGINX = ImageSpec(
    name="nginx",
    version="1.29.4",
    flavour="debian",
    entrypoint=("/docker-entrypoint.sh",),
    args=("nginx", "-g", "daemon off;"),
    programs=DEBIAN | {"nginx", "nginx-debug", "docker-entrypoint.sh", "curl"},
    ports=(80,),
    stop_signal=3,
    shell="dash",
)

IMAGES: dict[str, ImageSpec] = {
    "nginx": _NGINX,
    "httpd": ImageSpec(
        name="httpd",
        version="2.4.66",
        flavour="debian",
        entrypoint=(),
        args=("httpd-foreground",),
        programs=DEBIAN | {"httpd-foreground", "httpd"},
        env={"HTTPD_PREFIX": "/usr/local/apache2"},
        ports=(80,),
        stop_signal=28,
        shell="dash",
    ),
    "busybox": ImageSpec(
        name="busybox", version="1.37.0", flavour="busybox", entrypoint=(), args=("sh",), programs=BUSYBOX
    ),
    "alpine": ImageSpec(
        name="alpine", version="3.22", flavour="busybox", entrypoint=(), args=("/bin/sh",), programs=ALPINE
    ),
    "curlimages/curl": ImageSpec(
        name="curl",
        version="8.17.0",
        flavour="busybox",
        entrypoint=("/entrypoint.sh",),
        args=("curl",),
        programs=CURL_ALPINE,
        user=100,
        user_name="curl_user",
    ),
    "hashicorp/http-echo": ImageSpec(
        name="http-echo",
        version="1.0.0",
        flavour="busybox",
        entrypoint=("/http-echo",),
        args=(),
        programs=frozenset({"http-echo"}),
        ports=(5678,),
        shell="",
        user=65532,
    ),
    "redis": ImageSpec(
        name="redis",
        version="8.2.3",
        flavour="debian",
        entrypoint=("docker-entrypoint.sh",),
        args=("redis-server",),
        programs=DEBIAN | {"docker-entrypoint.sh", "redis-server", "redis-cli"},
        ports=(6379,),
        shell="dash",
    ),
    "postgres": ImageSpec(
        name="postgres",
        version="18.1",
        flavour="debian",
        entrypoint=("docker-entrypoint.sh",),
        args=("postgres",),
        programs=DEBIAN | {"docker-entrypoint.sh", "postgres", "pg_isready"},
        ports=(5432,),
        stop_signal=2,
        shell="dash",
    ),
    "registry.k8s.io/e2e-test-images/agnhost": ImageSpec(
        name="agnhost",
        version="2.63.0",
        flavour="busybox",
        entrypoint=("/agnhost",),
        args=("pause",),
        programs=AGNHOST,
        ports=(80, 8080, 8081, 9376, 5000),
        tags=r"2\.\d+(\.\d+)?",
    ),
    "registry.k8s.io/e2e-test-images/glibc-dns-testing": ImageSpec(
        name="glibc-dns-testing",
        version="2.1.0",
        flavour="debian",
        entrypoint=(),
        args=("bash",),
        programs=GLIBC_DNS,
        shell="dash",
    ),
    "registry.k8s.io/e2e-test-images/jessie-dnsutils": ImageSpec(
        name="jessie-dnsutils",
        version="1.7",
        flavour="debian",
        entrypoint=(),
        args=("/bin/bash",),
        programs=GLIBC_DNS,
        shell="dash",
    ),
    "registry.k8s.io/nginx-slim": replace(_NGINX, entrypoint=(), version="1.21.6", versions={"0.8": "1.11.1"}),
    "registry.k8s.io/echoserver": ImageSpec(
        name="echoserver",
        version="1.10",
        flavour="debian",
        entrypoint=(),
        args=("echoserver",),
        programs=DEBIAN | {"echoserver"},
        ports=(8080,),
        shell="dash",
    ),
    "registry.k8s.io/serve_hostname": ImageSpec(
        name="serve_hostname",
        version="1.4",
        flavour="",
        entrypoint=("/serve_hostname",),
        args=(),
        programs=frozenset({"serve_hostname"}),
        ports=(9376,),
        shell="",
    ),
    "gcr.io/google-samples/hello-app": ImageSpec(
        name="hello-app",
        version="1.0.0",
        flavour="",
        entrypoint=(),
        args=("/hello-app",),
        programs=frozenset({"hello-app"}),
        env={"PORT": "8080"},
        shell="",
        user=65532,
        user_name="nonroot",
    ),
    "gcr.io/google-samples/kubernetes-bootcamp": ImageSpec(
        name="kubernetes-bootcamp",
        version="1",
        flavour="debian",
        entrypoint=(),
        args=("/bin/sh", "-c", "node server.js"),
        programs=DEBIAN | {"node", "curl"},
        ports=(8080,),
        shell="dash",
        versions={"v2": "2"},
    ),
    "traefik/whoami": ImageSpec(
        name="whoami",
        version="1.11.0",
        flavour="",
        entrypoint=("/whoami",),
        args=(),
        programs=frozenset({"whoami"}),
        ports=(80,),
        shell="",
    ),
    "nicolaka/netshoot": ImageSpec(
        name="netshoot",
        version="0.14",
        flavour="busybox",
        entrypoint=(),
        args=("zsh",),
        programs=NETSHOOT,
    ),
    "registry.k8s.io/pause": ImageSpec(
        name="pause",
        version="3.10.1",
        flavour="busybox",
        entrypoint=("/pause",),
        args=(),
        programs=frozenset({"pause"}),
        shell="",
        user=65535,
    ),
}

ALIASES = {
    "containous/whoami": "traefik/whoami",
    "jocatalin/kubernetes-bootcamp": "gcr.io/google-samples/kubernetes-bootcamp",
    "us-docker.pkg.dev/google-samples/containers/gke/hello-app": "gcr.io/google-samples/hello-app",
    "registry.k8s.io/e2e-test-images/serve-hostname": "registry.k8s.io/serve_hostname",
    "registry.k8s.io/e2e-test-images/echoserver": "registry.k8s.io/echoserver",
}
"""Other names of the same images."""
