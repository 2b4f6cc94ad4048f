from grader.embedded.core.store import HISTORY_LIMIT
from tests.embedded.core.api.api_client import PODS, SERVICES, TABLE, Api, pod, service


def test_a_watch_without_a_version_begins_with_what_there_is(api: Api) -> None:
    api.create(SERVICES, service("a"))
    events = api.watch(SERVICES)
    api.create(SERVICES, service("b"))
    assert events.told() == [("ADDED", "a"), ("ADDED", "b")]


def test_a_watch_from_a_version_tells_what_was_missed_and_then_what_happens(api: Api) -> None:
    version = api.create(SERVICES, service("a"))["metadata"]["resourceVersion"]
    api.patch(f"{SERVICES}/a", {"metadata": {"labels": {"x": "y"}}})
    events = api.watch(SERVICES, query=[("resourceVersion", version)])
    api.call("DELETE", f"{SERVICES}/a")
    assert events.told() == [("MODIFIED", "a"), ("DELETED", "a")]


def test_initial_events_end_with_an_annotated_bookmark(api: Api) -> None:
    api.create(SERVICES, service("a"))
    query = [
        ("sendInitialEvents", "true"),
        ("resourceVersionMatch", "NotOlderThan"),
        ("allowWatchBookmarks", "true"),
    ]
    added, bookmark = api.watch(SERVICES, query=query).take()
    assert added["type"] == "ADDED"
    assert bookmark["type"] == "BOOKMARK"
    assert bookmark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert bookmark["object"]["kind"] == "Service"


def test_initial_events_without_a_version_match_are_refused(api: Api) -> None:
    code, body = api.call("GET", SERVICES, query=[("watch", "1"), ("sendInitialEvents", "true")])
    assert (code, body["reason"]) == (400, "BadRequest")


def test_a_version_that_is_too_old_is_told_as_an_error_event_and_ends_the_watch(api: Api) -> None:
    version = api.create(SERVICES, service())["metadata"]["resourceVersion"]
    for number in range(HISTORY_LIMIT + 5):
        obj = api.store.get("services", "default", "web")
        assert obj is not None
        api.store.update("services", {**obj, "metadata": {**obj["metadata"], "labels": {"n": str(number)}}})
    events = api.watch(SERVICES, query=[("resourceVersion", version)])
    (event,) = events.take()
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
    assert events.ended


def test_an_object_that_leaves_the_selector_is_deleted_for_the_watch(api: Api) -> None:
    events = api.watch(PODS, query=[("labelSelector", "app=web"), ("resourceVersion", str(api.store.resource_version))])
    api.create(PODS, pod())
    api.patch(f"{PODS}/p", {"metadata": {"labels": {"app": "web"}}})
    api.patch(f"{PODS}/p", {"metadata": {"labels": {"app": "other"}}})
    added, deleted = events.take()
    assert (added["type"], deleted["type"]) == ("ADDED", "DELETED")
    assert deleted["object"]["metadata"]["labels"] == {"app": "web"}
    assert deleted["object"]["metadata"]["resourceVersion"] == str(api.store.resource_version)


def test_a_watch_of_one_name_sees_only_that(api: Api) -> None:
    events = api.watch(SERVICES, query=[("fieldSelector", "metadata.name=a")])
    api.create(SERVICES, service("a"))
    api.create(SERVICES, service("b"))
    assert events.told() == [("ADDED", "a")]


def test_a_stopped_watch_is_silent(api: Api) -> None:
    events = api.watch(SERVICES)
    events.stop()
    api.create(SERVICES, service())
    assert events.take() == []


def test_a_watch_can_show_tables(api: Api) -> None:
    events = api.watch(SERVICES, accept=TABLE)
    api.create(SERVICES, service())
    (event,) = events.take()
    assert event["object"]["kind"] == "Table"
    assert event["object"]["rows"][0]["cells"][:2] == ["web", "ClusterIP"]


def test_the_timeout_is_the_clients(api: Api) -> None:
    assert api.watch(SERVICES, query=[("timeoutSeconds", "7")]).watch.timeout == 7
    assert api.watch(SERVICES).watch.timeout is None


def test_bookmarks_are_sent_only_to_who_asks_for_them(api: Api) -> None:
    assert api.watch(SERVICES).watch.bookmark() is None
    assert b"BOOKMARK" in (api.watch(SERVICES, query=[("allowWatchBookmarks", "true")]).watch.bookmark() or b"")
