import copy

import pytest

from grader.embedded.core.store import AlreadyExists, Change, Conflict, Gone, NotFound, Obj, Store


def pod(name: str, namespace: str = "default", **spec: object) -> Obj:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def test_creating_gives_identity_time_version_and_generation() -> None:
    store = Store(lambda: 1_700_000_000.5)
    stored = store.create("pods", pod("a"))
    assert stored["metadata"]["creationTimestamp"] == "2023-11-14T22:13:20Z"
    assert stored["metadata"]["resourceVersion"] == "1"
    assert stored["metadata"]["generation"] == 1
    assert len(stored["metadata"]["uid"]) == 36
    assert store.get("pods", "default", "a") is stored


def test_the_same_name_twice_is_refused_but_not_in_another_namespace() -> None:
    store = Store(lambda: 0)
    store.create("pods", pod("a"))
    with pytest.raises(AlreadyExists):
        store.create("pods", pod("a"))
    store.create("pods", pod("a", "other"))
    assert len(store.list("pods")) == 2
    assert len(store.list("pods", "other")) == 1


def test_an_update_that_changes_nothing_writes_nothing() -> None:
    store = Store(lambda: 0)
    store.create("pods", pod("a", nodeName="n1"))
    changes: list[Change] = []
    store.subscribe(changes.append)
    store.update("pods", pod("a", nodeName="n1"))
    assert changes == []
    assert store.resource_version == 1


def test_the_generation_of_an_endpointslice_follows_its_labels_too() -> None:
    # pkg/registry/discovery/endpointslice/strategy.go PrepareForUpdate
    store = Store(lambda: 0)
    made: Obj = {"kind": "EndpointSlice", "metadata": {"name": "a", "namespace": "n"}, "endpoints": []}
    assert store.create("endpointslices", made)["metadata"]["generation"] == 1
    annotated = {**made, "metadata": {**made["metadata"], "annotations": {"a": "b"}}}
    assert store.update("endpointslices", annotated)["metadata"]["generation"] == 1
    labelled = {**made, "metadata": {**made["metadata"], "labels": {"a": "b"}}}
    assert store.update("endpointslices", labelled)["metadata"]["generation"] == 2


def test_generation_follows_the_spec_only() -> None:
    store = Store(lambda: 0)
    store.create("pods", pod("a", nodeName="n1"))
    labelled = pod("a", nodeName="n1")
    labelled["metadata"]["labels"] = {"x": "y"}
    assert store.update("pods", labelled)["metadata"]["generation"] == 1
    assert store.update("pods", pod("a", nodeName="n1", hostname="h"))["metadata"]["generation"] == 2


def test_a_stale_write_conflicts_and_a_missing_object_is_not_found() -> None:
    store = Store(lambda: 0)
    store.create("pods", pod("a"))
    store.update("pods", pod("a", nodeName="n1"))
    with pytest.raises(Conflict):
        store.update("pods", pod("a", nodeName="n2"), expect="1")
    with pytest.raises(NotFound):
        store.update("pods", pod("b"))


def test_history_resumes_or_is_gone() -> None:
    store = Store(lambda: 0, history_limit=2)
    for name in "abc":
        store.create("pods", pod(name))
    assert [c.obj["metadata"]["name"] for c in store.history(1)] == ["b", "c"]
    with pytest.raises(Gone):
        store.history(0)


def test_deleting_announces_the_last_state_with_a_newer_version() -> None:
    store = Store(lambda: 0)
    store.create("pods", pod("a"))
    changes: list[Change] = []
    unsubscribe = store.subscribe(changes.append)
    gone = store.delete("pods", "default", "a")
    assert gone is not None and gone["metadata"]["resourceVersion"] == "2"
    assert [c.type for c in changes] == ["DELETED"]
    assert store.delete("pods", "default", "a") is None
    unsubscribe()
    store.create("pods", pod("a"))
    assert len(changes) == 1


def test_a_dump_can_be_loaded_and_makes_older_versions_gone() -> None:
    store = Store(lambda: 0)
    store.create("pods", pod("a"))
    again = Store(lambda: 0)
    again.load(store.dump())
    assert again.get("pods", "default", "a") == store.get("pods", "default", "a")
    with pytest.raises(Gone):
        again.history(0)
    assert again.history(1) == []


def test_a_new_version_shares_what_is_as_it_was() -> None:
    store = Store(lambda: 0.0)
    ends = [{"addresses": [f"10.244.0.{number}"], "conditions": {"ready": True}} for number in range(9)]
    slice_ = {"kind": "EndpointSlice", "metadata": {"name": "s", "labels": {"a": "b"}}, "endpoints": ends}
    first = store.create("endpointslices", slice_)
    decoded = copy.deepcopy(first)  # as it comes from a client
    del decoded["endpoints"][3]
    decoded["endpoints"][0]["conditions"]["ready"] = False
    wanted = copy.deepcopy(decoded["endpoints"])
    second = store.update("endpointslices", decoded)
    assert second["endpoints"] == wanted
    assert second["metadata"]["labels"] is first["metadata"]["labels"]
    assert all(second["endpoints"][at] is first["endpoints"][at] for at in (1, 2))
    assert all(second["endpoints"][at] is first["endpoints"][at + 1] for at in range(3, 8))
    third = store.update("endpointslices", {**second, "endpoints": [*copy.deepcopy(wanted), {"addresses": []}]})
    assert all(third["endpoints"][at] is second["endpoints"][at] for at in range(8))
