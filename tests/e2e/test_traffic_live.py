"""Traffic goes the same ways on the embedded cluster as on a real one, for Services made at random.

`GRADER_TRAFFIC=N` looks at N scenes, `GRADER_TRAFFIC_SEED` begins with another one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from tests.clusters import embedded, real
from tests.e2e.traffic import Stage, differences, scene

pytestmark = pytest.mark.kind
FIRST = int(os.environ.get("GRADER_TRAFFIC_SEED", "1"))
SCENES = range(FIRST, FIRST + int(os.environ.get("GRADER_TRAFFIC", "1")))
SERVICES = 10
PATIENCE = 15.0


@pytest.fixture(params=SCENES)
def stages(request: pytest.FixtureRequest) -> Iterator[tuple[Stage, Stage]]:
    kind = real()
    objects = scene(request.param, SERVICES)
    with embedded("traffic") as twin:
        ours, theirs = Stage(twin, "traffic"), Stage(kind, "traffic", 4.0)
        try:
            theirs.build(objects)
            ours.build(objects)
            yield ours, theirs
        finally:
            theirs.close()
            ours.close()


def test_traffic_goes_the_same_ways(stages: tuple[Stage, Stage]) -> None:
    ours, theirs = stages
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
        count, texts = differences(ours, theirs, PATIENCE)
        print(f"{act}: {count} looks, {len(texts)} differences")
        found += [f"after {act}: {text}" for text in texts]
    assert not found, "\n\n".join(found)
