"""Text and criteria are one: what a task demands is quoted by a criterion or by `ground`; what is quoted stands there.

A *statement* of task.md is a sentence, with its 。, or a row of a table: its cells joined by " | ". Backticks and the
asterisks of bold type are dropped. A quote is one whole statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import pytest

from grader.exercises import all_exercises
from grader.exercises.folder import read_folder
from grader.model.exercise import Exercise
from grader.paths import content_root

LEARNERS = ("", "student-1", "student-7")
EXERCISES = [exercise.id for exercise in all_exercises()]
FOLDERS = content_root() / "exercises"

# What no kind of criterion can ask yet. Each stands in the task, and is taken out of here as soon as it is quoted.
CONDITIONS = "条件"
SYMPTOMS = "症状"  # tells how things are, not how they must be
BOUND = re.compile(
    r"ては(いけ|なら)|ないでください|(?<!この)(?<!その)まま|変更せず|変更しない|変更しません|消さずに"
    r"|だけを(作って|変更して|直して|変えて)"
)


@dataclass(frozen=True)
class Statement:
    """What a task says in one breath.

    Attributes:
        text: the sentence, or the row's cells joined.
        section: the `##` heading it stands under, "" before the first.
        form: "row", "header" (of a table), "item" (of a list) or "prose".
        bound: it says what must stay, or must not be; of a row also where the table's header says so.
    """

    text: str
    section: str
    form: str
    bound: bool


def statements(task: str) -> Iterator[Statement]:
    """Read a task; fenced code and headings say nothing."""
    section, header, fenced = "", "", False
    lines = re.sub(r"`(?!``)|\*\*", "", re.sub(r"^```.*$", "~~~", task, flags=re.MULTILINE)).splitlines()
    for line in lines:
        fenced ^= line == "~~~"
        if line.startswith("## "):
            section = line.removeprefix("## ").strip()
        if not line.startswith("|"):
            header = ""
        if fenced or line == "~~~" or line.startswith("#") or re.fullmatch(r"[|\s:-]*", line):
            continue
        if line.startswith("|"):
            text = " | ".join(cell.strip() for cell in line.strip().strip("|").split("|"))
            form = "row" if header else "header"
            header = header or text
            yield Statement(text, section, form, form == "row" and bool(BOUND.search(header + text)))
        else:
            form = "item" if line.lstrip().startswith("- ") else "prose"
            for sentence in re.findall(r"[^。]+。?", line.strip().removeprefix("- ").removeprefix("> ")):
                yield Statement(sentence.strip(), section, form, bool(BOUND.search(sentence)))


def says_where(row: str, exercise: Exercise) -> bool:
    """Whether a row names the exercise's Namespaces and nothing else: the scene, where every criterion asks."""
    what, *values = row.split(" | ")
    return "Namespace" in what and bool(values) and set(values) <= {exercise.namespace, *exercise.namespaces}


def demands(exercise: Exercise) -> Iterator[str]:
    """What of the task somebody must answer for."""
    for said in statements(exercise.task):
        asked = said.section == CONDITIONS and said.form in ("row", "item")
        symptom = said.section == SYMPTOMS and said.form == "item"
        if (asked or said.bound) and not symptom and not says_where(said.text, exercise):
            yield said.text


def quotes(exercise: Exercise) -> set[str]:
    return {quote for criterion in exercise.criteria for quote in criterion.says} | set(exercise.ground.says)


@cache
def of(exercise: str, learner: str = "") -> Exercise:
    return read_folder(FOLDERS / exercise, learner)


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_demand_of_the_task_is_quoted(exercise: str, learner: str) -> None:
    found = of(exercise, learner)
    assert [text for text in demands(found) if text not in quotes(found)] == []


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_quote_stands_in_the_task(exercise: str, learner: str) -> None:
    found = of(exercise, learner)
    assert quotes(found) - {said.text for said in statements(found.task)} == set()


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_criterion_says_what_it_answers_and_the_ground_only_demands(exercise: str) -> None:
    found = of(exercise)
    assert [criterion.id for criterion in found.criteria if not criterion.says] == []
    assert set(found.ground.says) <= set(demands(found))


def test_a_demand_that_nobody_answers_and_a_quote_that_nobody_made_are_noticed() -> None:
    whole = of("clusterip")
    first = whole.criteria[0]
    lessened = replace(whole, criteria=(replace(first, says=("Serviceのタイプ | NodePort",)), *whole.criteria[1:]))
    assert "Serviceのタイプ | ClusterIP" in set(demands(lessened)) - quotes(lessened)
    assert "Serviceのタイプ | NodePort" not in {said.text for said in statements(lessened.task)}


def test_a_task_is_read_as_rows_and_sentences() -> None:
    task = """# 題

序の文。二つ目の`文`。このままでは困る。

## 症状

- ずっと動かないまま。

## 条件

| 項目 | 値 |
| --- | --- |
| Namespace | `x` |
| **ポート** | `80`(TCP) |

次のことが成り立てば合格です。

- 届く。ほかには届かない。

```bash
- 触れてはいけない。
```

- Service `y`: 昔のもの。消さずに変更する。

| もの | 変えてはいけないもの |
| --- | --- |
| `z` | 名前 |
"""
    found = replace(of("clusterip"), task=task, namespace="x")
    assert list(demands(found)) == [
        "ポート | 80(TCP)",
        "届く。",
        "ほかには届かない。",
        "Service y: 昔のもの。",
        "消さずに変更する。",
        "z | 名前",
    ]
    assert "二つ目の文。" in {said.text for said in statements(task)}
