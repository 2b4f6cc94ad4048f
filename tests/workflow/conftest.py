"""An embedded cluster for the tests that need a whole one: begun once, in a state folder of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.cluster import choose
from grader.cluster.info import ClusterInfo, Provider
from grader.cluster.provider import silent


@pytest.fixture(scope="package")
def cluster() -> Iterator[ClusterInfo]:
    home = Path(tempfile.mkdtemp(prefix="grader-test-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_HOME", str(home))
        provider = choose.provider(Provider.EMBEDDED)
        try:
            yield provider.up("workflow", {}, silent)
        finally:
            provider.down("workflow", silent)
            shutil.rmtree(home)
