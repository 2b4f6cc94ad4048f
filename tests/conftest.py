"""Settings that every test shares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from grader.cluster.choose import temporary

# A busy machine is no failure: time is measured in benchmarks/, never asserted here.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Whoever runs the tests, exercises that vary have their canonical values.
os.environ["GRADER_LEARNER"] = ""


@pytest.fixture(scope="module")
def cluster_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with a real embedded cluster in it."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_HOME", str(home))
        patch.delenv("GRADER_CLUSTER", raising=False)
        with temporary("services-course"):
            yield home
