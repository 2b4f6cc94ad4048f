"""Read one exercise folder: exercise.yaml, task.md, hints.md, given.yaml, starter.yaml, answers/, wrong/."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from grader.errors import ContentError
from grader.exercises.schema import ExerciseSchema
from grader.model.exercise import Answer, Broken, Exercise, Form, WrongAnswer

_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
FORMS = {".yaml": Form.MANIFEST, ".sh": Form.SCRIPT}
WORKLOADS = frozenset({"Deployment", "StatefulSet"})
_HEAD = re.compile(r"#\s*([a-z-]+):\s*(\S+)\s*$")


def read_folder(folder: Path) -> Exercise:
    """Read and validate an exercise folder. Raises ContentError with facts file, line, field, reason."""
    path = folder / "exercise.yaml"
    schema = _schema(path, _text(path))
    if schema.id != folder.name:
        raise _error(path, 1, "id", f"id is {schema.id}, but the folder is {folder.name}")
    exercise = Exercise(
        id=schema.id,
        lesson=schema.lesson,
        title=schema.title,
        points=schema.points,
        namespace=schema.namespace or schema.id,
        folder=folder,
        task=_text(folder / "task.md"),
        hints=_hints(folder / "hints.md"),
        starter=_text(folder / "starter.yaml"),
        given=_given(folder / "given.yaml", schema),
        criteria=schema.all_criteria(),
        answers=_answers(folder / "answers"),
        wrong=tuple(_wrong(path, schema) for path in _answer_files(folder / "wrong")),
        may_change=schema.changeable(),
        namespaces=tuple(schema.namespaces),
        may_change_there={name: kinds for name in schema.namespaces if (kinds := schema.changeable(name))},
        ready=schema.ready,
        broken=Broken(schema.broken.criterion, schema.broken.diagnosis) if schema.broken else None,
    )
    return exercise


def _schema(path: Path, text: str) -> ExerciseSchema:
    try:
        root = yaml.compose(text, Loader=_LOADER)
        data = yaml.load(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise _error(path, mark.line + 1 if mark else 1, "", error.problem or str(error)) from error
    try:
        return ExerciseSchema.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise _error(path, _line(root, first["loc"]), field, first["msg"]) from error


def _line(node: Any, location: Sequence[int | str]) -> int:
    """Find the line (from 1) of the deepest node on the way of a pydantic location."""
    line: int = node.start_mark.line + 1 if node is not None else 1
    for part in location:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        elif isinstance(node, yaml.MappingNode):
            found = [pair for pair in node.value if pair[0].value == part]
            if not found:
                continue
            line = found[0][0].start_mark.line + 1
            node = found[0][1]
            continue
        else:
            continue
        line = node.start_mark.line + 1
    return line


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise _error(path, 0, "", "the file is missing") from None
    except UnicodeDecodeError as error:
        raise _error(path, 0, "", f"the file is not UTF-8: {error}") from error


def _hints(path: Path) -> tuple[str, ...]:
    """Read one hint a `## ` section."""
    parts = re.split(r"^## .*$", _text(path), flags=re.MULTILINE)[1:]
    if not parts:
        raise _error(path, 1, "", "no hint: each hint is a section that begins with `## `")
    return tuple(part.strip() for part in parts)


def _given(path: Path, schema: ExerciseSchema) -> str:
    text = _text(path)
    try:
        documents = [
            (node.start_mark.line + 1, item)
            for node, item in zip(
                yaml.compose_all(text, Loader=_LOADER), yaml.load_all(text, Loader=_LOADER), strict=True
            )
        ]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise _error(path, mark.line + 1 if mark else 1, "", error.problem or str(error)) from error
    own = {schema.namespace or schema.id, *schema.namespaces}
    workloads = {}
    for line, item in documents:
        if item is None:
            continue
        if not isinstance(item, dict) or not isinstance(item.get("metadata"), dict) or "name" not in item["metadata"]:
            raise _error(path, line, "metadata.name", "each document is an object with a name")
        namespace = item["metadata"].get("namespace")
        if namespace is not None and namespace not in own:
            reason = f"{namespace} is not one of {', '.join(sorted(own))}; name it in `namespaces` of exercise.yaml"
            raise _error(path, line, "metadata.namespace", reason)
        if item.get("kind") in WORKLOADS:
            workloads[item["metadata"]["name"]] = item.get("spec", {}).get("replicas", 1)
    for name, count in schema.ready.items():
        if name not in workloads:
            raise _error(path, 1, f"ready.{name}", f"no Deployment or StatefulSet {name} is given")
        if count > workloads[name]:
            raise _error(path, 1, f"ready.{name}", f"{count} Pods cannot be ready of {workloads[name]}")
    return text


def _answer_files(folder: Path) -> Iterator[Path]:
    """Find manifests and scripts, by name; a name is given once."""
    seen: dict[str, Path] = {}
    for path in sorted(path for path in folder.glob("*") if path.suffix in FORMS):
        if path.stem in seen:
            raise _error(path, 1, "", f"there is {seen[path.stem].name} of the same name: name one of them differently")
        seen[path.stem] = path
        yield path


def _answers(folder: Path) -> tuple[Answer, ...]:
    paths = sorted(_answer_files(folder), key=lambda path: (path.stem != "reference", path.stem))
    if not paths or paths[0].stem != "reference":
        raise _error(folder / "reference.yaml", 0, "", "the file is missing")
    return tuple(Answer(path.stem, _text(path), FORMS[path.suffix]) for path in paths)


def _wrong(path: Path, schema: ExerciseSchema) -> WrongAnswer:
    text = _text(path)
    head: dict[str, str] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        if match := _HEAD.match(line):
            head[match[1]] = match[2]
    for key in ("criterion", "diagnosis"):
        if key not in head:
            raise _error(path, 1, key, f"the head names no {key}: write `# {key}: …`")
    form = FORMS[path.suffix]
    known = {criterion.id for criterion in schema.criteria} | ({"manifest"} if form is Form.MANIFEST else set())
    if head["criterion"] not in known:
        raise _error(path, 1, "criterion", f"{head['criterion']} is not one of {', '.join(sorted(known))}")
    return WrongAnswer(path.stem, text, head["criterion"], head["diagnosis"], form)


def _error(path: Path, line: int, field: str, reason: str) -> ContentError:
    shown = f"{path.parent.name}/{path.name}"
    return ContentError("exercise-malformed", file=shown, line=line, field=field or "-", reason=reason)
