"""Settings that every test shares."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is no failure: time is measured in benchmarks/, never asserted here.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
