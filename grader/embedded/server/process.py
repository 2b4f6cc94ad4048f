"""One cluster's process from start to end: lock, files, core, sockets, the ready line, a tidy stop."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import gc
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

log = logging.getLogger(__name__)

LOCKED = 75  # EX_TEMPFAIL: another process runs this cluster already
LOCK_TRIES = 20
LOCK_PAUSE = 0.01  # seconds


def main(arguments: Sequence[str]) -> int:
    """Run a cluster until SIGTERM or SIGINT. Exit status 0, or 75 where one of this folder runs already.

    When it is ready, one line of JSON goes to standard output: pid, port, version.
    """
    parser = argparse.ArgumentParser(prog="python -m grader.embedded", description=__doc__)
    parser.add_argument("--name", required=True, help="the cluster's name; its nodes are called after it")
    parser.add_argument("--state", required=True, type=Path, help="folder for certificate, kubeconfig and state")
    parser.add_argument("--port", type=int, default=0, help="port of the API server on 127.0.0.1; 0: any")
    parser.add_argument("--background", action="store_true", help="go on as a process that nobody has to wait for")
    options = parser.parse_args(arguments)
    if options.background and os.fork():
        return 0
    folder: Path = options.state.resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not take_lock(folder):
        return LOCKED
    gc.freeze()  # what was imported stays; a cluster makes few cycles, and looking for them costs a tenth of its time
    gc.set_threshold(20_000, 50, 100)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of every client that went away
    asyncio.run(run(options.name, folder, options.port))
    return 0


def take_lock(folder: Path) -> bool:
    """Lock the folder for as long as this process lives, whatever ends it, and write the pid into the lock file.

    The bare descriptor is never closed: the lock goes with the process, not before. Whoever looks whether the cluster
    runs holds the lock for a moment too, hence the tries.
    """
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_PAUSE)
            continue
        os.truncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode("ascii"))
        return True
    os.close(descriptor)
    return False


async def run(name: str, folder: Path, port: int) -> None:
    """Serve until a signal asks to stop; then save the state and close everything."""
    from grader.embedded.server.cluster import Cluster

    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    cluster = Cluster(name, folder)
    facts = await cluster.start(port)
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()
    log.info("ready at port %s after %.2f s of processor time", facts["port"], time.process_time())
    detach_output()
    warming = loop.run_in_executor(None, cluster.warm)
    speaking = loop.create_task(speak())
    try:
        await stop.wait()
        await warming
    finally:
        speaking.cancel()
        await cluster.close()


async def speak() -> None:
    """Give `kubectl explain` its descriptions, when everything else is ready."""
    from grader.embedded.core.api.describe import openapi
    from grader.embedded.server import prose

    openapi.speak(await prose.load(prose.cache_path()))


def detach_output() -> None:
    """Point standard output at the log, so that a reader of the ready line can go away."""
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
