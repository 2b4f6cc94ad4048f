from __future__ import annotations

import pytest

from grader.cluster.kind import options
from grader.cluster.kind.options import KindOptions, parse
from grader.errors import UsageError


def test_without_a_wish_everything_is_upstream_s_and_pinned() -> None:
    wished = parse({}, {})
    assert wished == KindOptions()
    assert "@sha256:" in wished.node_image
    assert wished.metallb_manifest.startswith("https://raw.githubusercontent.com/metallb/metallb/v")
    assert wished.listen_address == "127.0.0.1"
    assert list(wished.node_ports) == list(range(30080, 30090))


def test_environment_replaces_defaults_and_options_replace_the_environment() -> None:
    environment = {"KIND_NODE_IMAGE": "a:1", "METALLB_MANIFEST": "/m.yaml", "GRADER_NODE_PORTS": "30100"}
    wished = parse({"node-image": "b:2"}, environment)
    assert (wished.node_image, wished.metallb_manifest, list(wished.node_ports)) == ("b:2", "/m.yaml", [30100])
    assert wished.chosen == {"node-image"}


def test_an_empty_variable_counts_as_none() -> None:
    assert parse({}, {"KIND_NODE_IMAGE": ""}) == KindOptions()


def test_every_option_has_a_variable_and_a_place() -> None:
    for name, variable in options.ENVIRONMENT.items():
        assert variable.isupper()
        assert hasattr(KindOptions(), name.replace("-", "_"))


@pytest.mark.parametrize(
    "given",
    [
        {"listen-address": "::1"},
        {"listen-address": "localhost"},
        {"node-ports": "80"},
        {"node-ports": "30090-30080"},
        {"node-ports": "30000-32767"},
        {"node-ports": "thirty"},
        {"reach": "somehow"},
    ],
)
def test_a_value_that_cannot_be_is_named(given: dict[str, str]) -> None:
    with pytest.raises(UsageError) as error:
        parse(given, {})
    assert error.value.code == "cluster-option-invalid"
    assert error.value.facts == {"option": next(iter(given)), "value": next(iter(given.values()))}


def test_an_option_that_does_not_exist_is_named() -> None:
    with pytest.raises(UsageError) as error:
        parse({"nodes": "5"}, {})
    assert (error.value.code, error.value.facts["option"]) == ("unknown-cluster-option", "nodes")
