"""The outside client: a container beside the nodes on Docker's network, which is no part of the cluster."""

from __future__ import annotations

from grader.cluster.kind.addresses import Pool
from grader.cluster.kind.tools import LABEL_OUTSIDE, LABEL_POOL, Container, Docker
from grader.cluster.probes import PROBE_PORT
from grader.errors import EnvironmentError_


def outside_name(cluster: str) -> str:
    """Name of the outside client's container."""
    return f"{cluster}-outside"


def fits(container: Container | None, image: str, network: str, pool: Pool) -> bool:
    """Whether a container is the outside client that it should be; its label keeps the pool from other clusters."""
    return (
        container is not None
        and container.image == image
        and network in container.networks
        and container.labels.get(LABEL_POOL) == str(pool)
    )


def ensure(docker: Docker, cluster: str, image: str, network: str, pool: Pool) -> bool:
    """Have the outside client run; True where something had to be done.

    Raises EnvironmentError_ ("image-missing") where its image cannot be had, ("outside-name-taken") where a
    container of somebody else bears its name.
    """
    name = outside_name(cluster)
    found = next((item for item in docker.containers(f"name=^/?{name}$") if item.name == name), None)
    if found is not None and found.labels.get(LABEL_OUTSIDE) != cluster:
        raise EnvironmentError_("outside-name-taken", container=name)
    if found is not None and fits(found, image, network, pool):
        if found.running and not found.paused:
            return False
        docker.run("unpause" if found.paused else "start", name)
        return True
    if found is not None:
        docker.remove([name])
    if not docker.has_image(image):
        try:
            docker.run("pull", "-q", image, timeout=600.0)
        except EnvironmentError_ as error:
            raise EnvironmentError_("image-missing", image=image, reason=error.facts.get("reason", error)) from error
    docker.run(
        "run",
        "-d",
        f"--name={name}",
        f"--network={network}",
        "--init",  # reaps what commands leave behind; netexec as process 1 would not
        "--restart=unless-stopped",
        f"--label={LABEL_OUTSIDE}={cluster}",
        f"--label={LABEL_POOL}={pool}",
        image,
        "netexec",
        f"--http-port={PROBE_PORT}",
    )
    return True


def answers(docker: Docker, cluster: str) -> bool:
    """Whether the outside client takes commands."""
    command = ["curl", "-sf", "-m", "2", f"http://127.0.0.1:{PROBE_PORT}/healthz"]
    try:
        docker.run("exec", outside_name(cluster), *command)
    except EnvironmentError_:
        return False
    return True
