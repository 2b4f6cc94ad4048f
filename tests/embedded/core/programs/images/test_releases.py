"""Which tags of known images were ever released."""

from __future__ import annotations

import pytest

from grader.embedded.core.programs.images import running as images


@pytest.mark.parametrize(
    "reference",
    [
        "nginx",
        "nginx:1",
        "nginx:stable-alpine",
        "nginx:1.7.9",
        "nginx:1.14.2",
        "nginx:1.16.1",
        "nginx:1.19.10",
        "nginx:1.29.4-alpine",
        "nginx:1.31",
        "httpd:2",
        "httpd:2.4.66",
        "redis:5.0.4",
        "redis:6.0.5",
        "redis:7",
        "redis:7.0.8-alpine",
        "redis:8.2",
        "postgres:9.6",
        "postgres:9.6.24",
        "postgres:16.3",
        "postgres:18.1-alpine",
        "busybox:1",
        "busybox:1.28",
        "busybox:1.28.4",
        "busybox:1.36.1-musl",
        "alpine:3",
        "alpine:3.20.3",
        "curlimages/curl:7.88.1",
        "curlimages/curl:8.10.1",
        "hashicorp/http-echo:0.2.3",
        "hashicorp/http-echo:1.0.0",
        "registry.k8s.io/e2e-test-images/agnhost:2.39",
        "registry.k8s.io/e2e-test-images/agnhost:2.63.0",
        "registry.k8s.io/pause:3.9",
        "registry.k8s.io/pause:3.10.1",
    ],
)
def test_what_was_released_is_pulled(reference: str) -> None:
    assert images.find(reference) is not None


@pytest.mark.parametrize(
    "reference",
    [
        "nginx:9.99",
        "nginx:1.161",  # the stuck rollout of kubernetes.io's page on Deployments
        "nginx:1.91",
        "nginx:2",
        "nginx:1.14.9",
        "nginx:1.29.99",
        "nginx:9.99-alpine",
        "httpd:3.0",
        "redis:99",
        "redis:7.1",
        "postgres:99",
        "postgres:17.99",
        "busybox:1.99",
        "busybox:9.9.9",
        "alpine:4.0",
        "curlimages/curl:9.0.0",
        "hashicorp/http-echo:9.9",
        "registry.k8s.io/e2e-test-images/agnhost:2.99",
        "registry.k8s.io/e2e-test-images/agnhost:9.99",
        "registry.k8s.io/pause:9.9",
    ],
)
def test_what_was_never_released_is_not_pulled(reference: str) -> None:
    assert images.find(reference) is None
