"""Two runs of the same commands have one shape; another command, field or state has another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.lessons.shapes import shape

PODS = """NAME                       READY   STATUS    RESTARTS   AGE   IP            NODE
greeter-744ccd7649-jdrbz   1/1     Running   0          5s    10.244.2.37   services-course-worker2
greeter-744ccd7649-rwktt   1/1     Running   0          2m3s  10.244.1.31   services-course-worker
"""
AGAIN = """NAME                      READY   STATUS    RESTARTS   AGE    IP           NODE
greeter-66dc8f9b-bcdfg    1/1     Running   0          59m    10.244.1.2   ci-kind-worker
greeter-66dc8f9b-9xzt2    1/1     Running   0          1s     10.244.2.9   ci-kind-worker2
"""


def test_names_addresses_nodes_and_ages_do_not_belong_to_the_shape() -> None:
    assert shape(PODS) == shape(AGAIN)


@pytest.mark.parametrize(
    ("old", "new"),
    [("Running", "Pending"), ("1/1", "0/1"), ("RESTARTS", "RESTART"), ("greeter", "backend")],
)
def test_states_columns_and_names_that_somebody_chose_do(old: str, new: str) -> None:
    assert shape(PODS.replace(old, new)) != shape(PODS)


def test_progress_and_repetition_do_not_belong_to_the_shape() -> None:
    told = 'Waiting for deployment "web" rollout to finish: 1 of 3 updated replicas are available...\n'
    assert shape(f'{told}{told}deployment "web" successfully rolled out\n') == shape(
        'deployment "web" successfully rolled out\n'
    )


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ("web   NodePort   10.96.0.9   <none>   80:30512/TCP   3s", "web NodePort 10.96.77.8 <none> 80:31999/TCP 1m"),
        ("      5 web-744ccd7649-jdrbz", "      7 web-744ccd7649-rwktt"),
        (
            "web-x7k2p   IPv4   8080   10.244.1.2,10.244.2.3   4s",
            "web-bbcdz   IPv4   8080   10.244.1.9,10.244.2.1   9s",
        ),
        (";; Query time: 1 msec", ";; Query time: 12 msec"),
        ("curl: (28) timed out after 3000 milliseconds", "curl: (28) timed out after 3138 milliseconds"),
        ("10.244.2.9:41600", "10.244.1.3:32784"),
        ("6.1.44-fc (amd64)", "5.10.0-generic (arm64)"),
        ("2026-11-25T01:02:03Z", "2027-01-01T10:20:30Z"),
    ],
)
def test_what_varies_is_left_out(then: str, now: str) -> None:
    assert shape(then) == shape(now)


@given(st.ip_addresses(v=4), st.ip_addresses(v=4))
def test_any_two_addresses_have_one_shape(one: object, other: object) -> None:
    assert shape(f"{one} web") == shape(f"{other} web")
