"""Read one exercise folder: exercise.yaml, task.md, hints.md, given.yaml, starter.yaml, answers/, wrong/."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from grader.errors import ContentError
from grader.exercises.schema import ExerciseSchema
from grader.exercises.vary import PLACE, choose, fill, names
from grader.model.exercise import Answer, Broken, Exercise, Form, WrongAnswer
from grader.model.ground import Given

_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
FORMS = {".yaml": Form.MANIFEST, ".sh": Form.SCRIPT}
WORKLOADS = frozenset({"Deployment", "StatefulSet"})
_HEAD = re.compile(r"#\s*([a-z-]+):\s*(\S+)\s*$")


def read_folder(folder: Path, learner: str = "") -> Exercise:
    """Read and validate an exercise folder, with the values of a learner ("": the canonical ones).

    Raises ContentError with facts file, line, field, reason.
    """
    path = folder / "exercise.yaml"
    files = _Files(_variation(path, _text(path), folder.name, learner))
    schema = _schema(path, files.text(path))
    if schema.id != folder.name:
        raise _error(path, 1, "id", f"id is {schema.id}, but the folder is {folder.name}")
    exercise = Exercise(
        id=schema.id,
        lesson=schema.lesson,
        title=schema.title,
        points=schema.points,
        namespace=schema.namespace or schema.id,
        folder=folder,
        task=files.text(folder / "task.md"),
        hints=_hints(folder / "hints.md", files),
        starter=files.text(folder / "starter.yaml"),
        given=_given(folder / "given.yaml", files, schema),
        criteria=schema.all_criteria(),
        answers=_answers(folder / "answers", files),
        wrong=tuple(_wrong(path, files, schema) for path in _answer_files(folder / "wrong")),
        may_change=schema.changeable(),
        namespaces=tuple(schema.namespaces),
        may_change_there={name: kinds for name in schema.namespaces if (kinds := schema.changeable(name))},
        ready=schema.ready,
        broken=Broken(schema.broken.criterion, schema.broken.diagnosis) if schema.broken else None,
        learner=learner if files.values else "",
        values=files.values,
        solution=files.text(folder / "solution.md"),
        ground=schema.ground.rule(schema.namespace or schema.id),
        renewed_exempt=schema.renewed.exempt if schema.renewed else "",
    )
    if unused := sorted(set(files.values) - files.used):
        reason = f"no file of the folder holds ${{{unused[0]}}}"
        raise _error(path, _line_of(_text(path), unused[0]), f"vary.{unused[0]}", reason)
    return exercise


@dataclass
class _Files:
    """Reads an exercise's files with a learner's values in them.

    Attributes:
        values: name → value.
        used: names that were found in a file.
    """

    values: Mapping[str, str]
    used: set[str] = field(default_factory=set)

    def text(self, path: Path) -> str:
        """Read a file. Raises ContentError where it is missing, or holds a name that is not declared.

        A shell has variables of its own, so in a script any other name stays what it is.
        """
        text = _text(path)
        found = names(text)
        self.used |= found & set(self.values)
        if self.values and path.suffix != ".sh" and (strange := sorted(found - set(self.values))):
            name = strange[0]
            raise _error(path, _line_of(text, f"${{{name}}}"), name, f"`vary` of exercise.yaml declares no {name}")
        return fill(text, self.values)


def _line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def _variation(path: Path, text: str, exercise: str, learner: str) -> Mapping[str, str]:
    """Choose the learner's values; which names and values there may be is left to the schema.

    The rest of the file need not be YAML before the values are in it: `{port: ${PORT}}` is not.
    """
    data = _loaded(path, PLACE.sub(r"«\1»", text))
    vary = data.get("vary", {}) if isinstance(data, dict) else {}
    if not isinstance(vary, dict) or not all(isinstance(values, list) and values for values in vary.values()):
        raise _error(path, _line_of(text, "vary"), "vary", "give each name a list of values")
    if any("«" in str(value) for values in vary.values() for value in values):
        raise _error(path, _line_of(text, "vary"), "vary", "a value must not itself hold ${…}")
    return {str(name): choose(learner, exercise, str(name), values) for name, values in vary.items()}


def _loaded(path: Path, text: str) -> Any:
    try:
        return yaml.load(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise _error(path, mark.line + 1 if mark else 1, "", error.problem or str(error)) from error


def _schema(path: Path, text: str) -> ExerciseSchema:
    data = _loaded(path, text)
    root = yaml.compose(text, Loader=_LOADER)
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


def _hints(path: Path, files: _Files) -> tuple[str, ...]:
    """Read one hint a `## ` section."""
    parts = re.split(r"^## .*$", files.text(path), flags=re.MULTILINE)[1:]
    if not parts:
        raise _error(path, 1, "", "no hint: each hint is a section that begins with `## `")
    return tuple(part.strip() for part in parts)


def _given(path: Path, files: _Files, schema: ExerciseSchema) -> str:
    text = files.text(path)
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
    names = set()
    for line, item in documents:
        if item is None:
            continue
        if not isinstance(item, dict) or not isinstance(item.get("metadata"), dict) or "name" not in item["metadata"]:
            raise _error(path, line, "metadata.name", "each document is an object with a name")
        namespace = item["metadata"].get("namespace")
        if namespace is not None and namespace not in own:
            reason = f"{namespace} is not one of {', '.join(sorted(own))}; name it in `namespaces` of exercise.yaml"
            raise _error(path, line, "metadata.namespace", reason)
        names.add(
            Given(namespace or schema.namespace or schema.id, str(item.get("kind")), str(item["metadata"]["name"]))
        )
        if item.get("kind") in WORKLOADS:
            workloads[item["metadata"]["name"]] = item.get("spec", {}).get("replicas", 1)
    rule = schema.ground.rule(schema.namespace or schema.id)
    for strange in sorted({*rule.may_differ, *rule.kept, *rule.may_go} - names):
        reason = f"`ground` of exercise.yaml names {strange.kind} {strange.name}, which is not given"
        raise _error(path, 1, "ground", reason)
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


def _answers(folder: Path, files: _Files) -> tuple[Answer, ...]:
    paths = sorted(_answer_files(folder), key=lambda path: (path.stem != "reference", path.stem))
    if not paths or paths[0].stem != "reference":
        raise _error(folder / "reference.yaml", 0, "", "the file is missing")
    return tuple(Answer(path.stem, files.text(path), FORMS[path.suffix]) for path in paths)


def _wrong(path: Path, files: _Files, schema: ExerciseSchema) -> WrongAnswer:
    text = files.text(path)
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
    known = {"ground"} | {criterion.id for criterion in schema.criteria}
    if form is Form.MANIFEST:
        known.add("manifest")
    if head["criterion"] not in known:
        raise _error(path, 1, "criterion", f"{head['criterion']} is not one of {', '.join(sorted(known))}")
    return WrongAnswer(path.stem, text, head["criterion"], head["diagnosis"], form)


def _error(path: Path, line: int, field: str, reason: str) -> ContentError:
    folder = path.parent.parent if path.parent.name in ("answers", "wrong") else path.parent
    shown = path.relative_to(folder.parent).as_posix()
    return ContentError("exercise-malformed", file=shown, line=line, field=field or "-", reason=reason)
