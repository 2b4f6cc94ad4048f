"""Traffic goes the same ways on the embedded cluster as on a real one, for Services made at random.

`GRADER_TRAFFIC=N` looks at N scenes, `GRADER_TRAFFIC_SEED` begins with another one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from grader.cluster import info
from grader.cluster.info import Provider
from tests.clusters import embedded
from tests.e2e.traffic import Stage, differences, scene

pytestmark = pytest.mark.kind
FIRST = int(os.environ.get("GRADER_TRAFFIC_SEED", "1"))
SCENES = range(FIRST, FIRST + int(os.environ.get("GRADER_TRAFFIC", "1")))
SERVICES = 10
PATIENCE = 15.0


@pytest.fixture(params=SCENES)
def stages(request: pytest.FixtureRequest) -> Iterator[tuple[Stage, Stage]]:
    cluster = info.load()
    assert cluster.provider is Provider.KIND, f"{cluster.name} is not a kind cluster"
    objects = scene(request.param, SERVICES)
    with embedded("traffic") as twin:
        ours, real = Stage(twin, "traffic"), Stage(cluster, "traffic", 4.0)
        try:
            real.build(objects)
            ours.build(objects)
            yield ours, real
        finally:
            real.close()
            ours.close()


def test_traffic_goes_the_same_ways(stages: tuple[Stage, Stage]) -> None:
    ours, real = stages
    found: list[str] = []
    for act in (
        [],
        ["exec p5 -- touch /tmp/well"],
        ["delete pod p0 p2 --wait=false"],
        ["label pod p1 group=a --overwrite"],
    ):
        for step in act:
            for stage in stages:
                stage.kubectl(*step.split(), strict=True)
        time.sleep(3.0)
        count, texts = differences(ours, real, PATIENCE)
        print(f"{act}: {count} looks, {len(texts)} differences")
        found += [f"after {act}: {text}" for text in texts]
    assert not found, "\n\n".join(found)
