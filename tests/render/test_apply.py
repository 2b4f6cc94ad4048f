import json
from pathlib import Path

from grader.model.evidence import Action, ManifestResult
from grader.render.apply import apply_card

STATUSES = json.loads((Path(__file__).parents[1] / "text" / "refusals.json").read_text(encoding="utf-8"))["refusals"]


def result(action: Action, status: str = "", **more: object) -> ManifestResult:
    return ManifestResult(3, "Service", "web", "lesson", action, STATUSES.get(status, {}), **more)  # type: ignore[arg-type]


def test_a_refusal_is_explained_and_the_servers_words_are_kept() -> None:
    card = apply_card([result(Action.REFUSED, "node-port-on-cluster-ip")])
    parts = dict(card.parts)
    assert card.tone == "fail"
    assert parts["場所"].startswith("3行目から始まる Service")
    assert "type: NodePort" in parts["次に"]
    assert "may not be used when" in parts["原文"]


def test_each_fault_of_one_refusal_is_explained() -> None:
    labels = [label for label, _ in apply_card([result(Action.REFUSED, "port-range")]).parts]
    assert labels.count("何が") == labels.count("次に") == 2


def test_a_next_step_is_told_only_where_everything_was_accepted() -> None:
    done = apply_card([result(Action.CREATED)], next_step="check")
    half = apply_card([result(Action.CREATED), result(Action.REFUSED, "ports-missing")], next_step="check")
    assert ("次に", "check") in done.parts
    assert ("次に", "check") not in half.parts and ("作成", "Service `web`(Namespace `lesson`)") in half.parts


def test_warnings_of_the_server_are_shown() -> None:
    assert ("警告", "deprecated") in apply_card([result(Action.UNCHANGED, warnings=("deprecated",))]).parts
