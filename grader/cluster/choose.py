"""Which provider looks after a cluster. Providers are imported when chosen: none of them is cheap to import."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from grader.cluster.info import ClusterInfo, Provider
from grader.cluster.provider import ClusterProvider, silent


def provider(kind: Provider) -> ClusterProvider:
    """The provider of this kind."""
    match kind:
        case Provider.EMBEDDED:
            from grader.cluster.embedded import EmbeddedProvider

            return EmbeddedProvider()
        case Provider.KIND:
            from grader.cluster.kind import KindProvider

            return KindProvider()
        case Provider.CONTEXT:
            from grader.cluster.context import ContextProvider

            return ContextProvider()


def provider_of(info: ClusterInfo) -> ClusterProvider:
    """The provider that brought this cluster up."""
    return provider(info.provider)


@contextlib.contextmanager
def temporary(name: str) -> Iterator[ClusterInfo]:
    """An embedded cluster under this name, gone afterwards whatever happened. Raises EnvironmentError_."""
    embedded = provider(Provider.EMBEDDED)
    try:
        yield embedded.up(name, {}, silent)
    finally:
        embedded.down(name, silent)
