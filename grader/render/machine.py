"""Reports for machines: JSON and JUnit XML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from xml.etree import ElementTree

from grader.errors import CourseError
from grader.model.evidence import Action, ManifestResult
from grader.model.report import CriterionResult, Report, Verdict
from grader.render.card import finding_message, number
from grader.render.wrap import plain
from grader.text import Message, message

SCHEMA = 1
"""Raised when a key changes its meaning or goes away."""


def _words(words: Message) -> dict[str, str]:
    return {"what": plain(words.what), "where": plain(words.where), "next": plain(words.next)}


def report_object(report: Report) -> dict[str, Any]:
    """Give a Report with the words a person would read.

    Keys: `schema`, `exit_status`, `report` (read back by `Report.from_json`) and `message` (`what`, `where`, `next`).
    """
    return {
        "schema": SCHEMA,
        "exit_status": report.verdict.exit_status,
        "report": report.to_json(),
        "message": _words(finding_message(report)),
    }


def error_object(error: CourseError) -> dict[str, Any]:
    """Give an error in the same shape: `error` (`code`, `facts`) in place of `report`."""
    return {
        "schema": SCHEMA,
        "exit_status": error.exit_status,
        "error": {"code": error.code, "facts": dict(error.facts)},
        "message": _words(message("errors", error.code, error.facts)),
    }


def apply_object(results: Sequence[ManifestResult]) -> dict[str, Any]:
    """Give what the API server said of a manifest: exit status 1 where it refused anything.

    Keys: `schema`, `exit_status` and `objects`, each with the attributes of `ManifestResult`.
    """
    refused = any(result.action is Action.REFUSED for result in results)
    return {"schema": SCHEMA, "exit_status": int(refused), "objects": [asdict(result) for result in results]}


def hint_object(number: int, total: int, text: str, *, new: bool) -> dict[str, Any]:
    """Give a hint.

    Args:
        number: its place, from 1.
        total: how many there are.
        text: Japanese Markdown.
        new: whether it was opened by this asking.
    """
    return {"schema": SCHEMA, "exit_status": 0, "number": number, "total": total, "text": text, "new": new}


def reset_object(namespace: str, starter: str, removed: Sequence[str], left: Sequence[str]) -> dict[str, Any]:
    """Give what a reset did.

    Args:
        namespace: the exercise's.
        starter: what the learner's file holds now.
        removed: "Kind/name" of what was deleted.
        left: "Kind/name" of what stands in the Namespace `default` although it belongs to the exercise.
    """
    return {
        "schema": SCHEMA,
        "exit_status": 0,
        "namespace": namespace,
        "starter": starter,
        "removed": list(removed),
        "left": list(left),
    }


def to_json(data: dict[str, Any]) -> str:
    """Write such an object as a JSON text, Japanese readable, line breaks at the end."""
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def _xml_safe(text: str) -> str:
    """Leave out what XML 1.0 (section 2.2, Char) cannot hold: a learner's Pod must not be able to break a report."""
    return "".join(
        char
        for char in text
        if char in "\t\n\r" or " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or char > "\uffff"
    )


def _case(suite: ElementTree.Element, report: Report, result: CriterionResult) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=f"exercises.{report.exercise}",
        name=result.id,
        time="0",
    )
    if result.verdict is Verdict.PASS:
        return
    words = finding_message(report, result)
    kind = "failure" if result.verdict is Verdict.FAIL else "error"
    child = ElementTree.SubElement(
        case, kind, type=_xml_safe(result.finding.diagnosis), message=_xml_safe(plain(words.what))
    )
    child.text = _xml_safe(
        "\n".join(filter(None, (plain(words.where), plain(words.next), result.expected, result.seen)))
    )


def junit(reports: Sequence[Report], errors: Sequence[tuple[str, CourseError]] = ()) -> str:
    """Write Reports as JUnit XML: a suite an exercise, a case a criterion.

    不合格 is a failure; 待機中 and 環境エラー are errors, so that no build goes green on them.

    Args:
        reports: the reports.
        errors: (exercise id, error) where there is no report.

    """
    root = ElementTree.Element("testsuites", name="kubernetes-services-course")
    for report in reports:
        counted = [result.verdict for result in report.criteria]
        failures = counted.count(Verdict.FAIL)
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=report.exercise,
            tests=str(len(counted)),
            failures=str(failures),
            errors=str(len(counted) - failures - counted.count(Verdict.PASS)),
            timestamp=report.taken_at,
        )
        properties = ElementTree.SubElement(suite, "properties")
        for name, value in (
            ("verdict", report.verdict.value),
            ("points", number(report.points)),
            ("max-points", number(report.max_points)),
            ("cluster", report.cluster),
            ("title", report.title),
        ):
            ElementTree.SubElement(properties, "property", name=name, value=_xml_safe(value))
        for result in report.criteria:
            _case(suite, report, result)
    for exercise, error in errors:
        words = message("errors", error.code, error.facts)
        suite = ElementTree.SubElement(root, "testsuite", name=exercise, tests="1", failures="0", errors="1")
        case = ElementTree.SubElement(suite, "testcase", classname=f"exercises.{exercise}", name="check", time="0")
        child = ElementTree.SubElement(case, "error", type=error.code, message=_xml_safe(plain(words.what)))
        child.text = _xml_safe(f"{plain(words.where)}\n{plain(words.next)}")
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
