import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import ClusterMissing
from grader.model.report import Report
from grader.render.machine import error_object, junit, report_object, to_json
from tests.render.samples import ALL, ENVIRONMENT, FAILED, PASSED, WAITING


@pytest.mark.parametrize("report", ALL, ids=lambda report: report.verdict.value)
def test_json_gives_the_report_back_equal(report: Report) -> None:
    data = json.loads(to_json(report_object(report)))
    assert Report.from_json(data["report"]) == report
    assert data["exit_status"] == report.verdict.exit_status


def test_json_carries_the_words_without_backquotes() -> None:
    message = report_object(FAILED)["message"]
    assert set(message) == {"what", "where", "next"}
    assert "`" not in message["next"] and "kubectl get pods -n clusterip --show-labels" in message["next"]


def test_an_error_has_the_same_shape() -> None:
    data = error_object(ClusterMissing("cluster-missing", name="x"))
    assert data["exit_status"] == 4
    assert data["error"] == {"code": "cluster-missing", "facts": {"name": "x"}}
    assert set(data["message"]) == {"what", "where", "next"}


def test_junit_counts_failures_and_errors_apart() -> None:
    root = ElementTree.fromstring(junit(ALL))
    counted = [(suite.get("failures"), suite.get("errors")) for suite in root]
    assert counted == [("0", "0"), ("2", "0"), ("0", "2"), ("0", "2")]


def test_nothing_unfinished_looks_green_in_junit() -> None:
    for report in (WAITING, ENVIRONMENT):
        suite = ElementTree.fromstring(junit([report]))[0]
        assert all(case.find("error") is not None for case in suite.iter("testcase"))


def test_junit_names_the_diagnosis() -> None:
    failure = ElementTree.fromstring(junit([FAILED])).find(".//failure")
    assert failure is not None and failure.get("type") == "selector-matches-no-pod"


def test_an_error_without_a_report_is_a_suite_of_its_own() -> None:
    root = ElementTree.fromstring(junit([], [("clusterip", ClusterMissing("cluster-missing", name="x"))]))
    assert root[0].get("errors") == "1" and root.find(".//error") is not None


@given(st.text())
def test_whatever_a_pod_answers_junit_stays_xml(seen: str) -> None:
    row = replace(FAILED.criteria[1], seen=seen)
    ElementTree.fromstring(junit([replace(PASSED, criteria=(row,), title=seen)]).encode(errors="replace"))
