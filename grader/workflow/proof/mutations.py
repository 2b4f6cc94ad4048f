"""Mutants of a reference answer: one field changed or gone. A sound exercise catches each that breaks what it asks for.

What an exercise lets pass on purpose stands in exercises/survivors.yaml, with a reason; anything else that passes is a
hole in its criteria.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from grader.model.exercise import Exercise, Form
from grader.paths import content_root
from grader.workflow.proof.verify import Task

OTHERS: Mapping[str, tuple[str, ...]] = {
    # enumerations, each value of which is valid (k8s.io/api/core/v1/types.go)
    "type": ("ClusterIP", "NodePort", "LoadBalancer"),
    "protocol": ("TCP", "UDP"),
    "sessionAffinity": ("None", "ClientIP"),
    "internalTrafficPolicy": ("Cluster", "Local"),
    "externalTrafficPolicy": ("Cluster", "Local"),
    "trafficDistribution": ("PreferSameZone", "PreferSameNode"),
    "addressType": ("IPv4", "IPv6"),
}
DEFAULTS: Mapping[str, Any] = {
    # taking away what is the default changes nothing (pkg/apis/core/v1/defaults.go)
    "type": "ClusterIP",
    "protocol": "TCP",
    "sessionAffinity": "None",
    "internalTrafficPolicy": "Cluster",
    "externalTrafficPolicy": "Cluster",
}
IDENTITY = frozenset({"apiVersion", "kind"})
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Mutant:
    """A reference answer with one change.

    Attributes:
        name: "Service/web spec.ports[0].port=81", "Service/web spec.selector.app removed".
        text: the manifest.
    """

    name: str
    text: str


def mutants(text: str) -> tuple[Mutant, ...]:
    """Make the mutants of a manifest: each value changed, each field taken away, each object left out."""
    documents = [item for item in yaml.safe_load_all(text) if item]
    found: list[Mutant] = []
    titles: list[str] = []
    for index, document in enumerate(documents):
        title = f"{document['kind']}/{document['metadata']['name']}"
        again = titles.count(title)  # an object that is applied twice, on its way from one state to another
        titles.append(title)
        title += f"#{again + 1}" if again else ""
        if len(documents) > 1:
            found.append(Mutant(f"{title} left out", _dump([*documents[:index], *documents[index + 1 :]])))
        for path, value in _leaves(document):
            for change, changed in _changes(document, path, value):
                mutated = [*documents[:index], changed, *documents[index + 1 :]]
                found.append(Mutant(f"{title} {_text(path)}{change}", _dump(mutated)))
    return tuple(found)


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            if path or key not in IDENTITY:
                yield from _leaves(item, (*path, str(key)))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path, value


def _changes(document: Mapping[str, Any], path: Path, value: Any) -> Iterator[tuple[str, Any]]:
    """Give what to call each change of a leaf, and the document changed."""
    field = str(path[-1])
    for other in _others(field, value):
        yield f"={other}", _with(document, path, other)
    required = path[0] == "metadata"
    if not required and DEFAULTS.get(field) != value and not _same_as_port(document, path, value):
        yield " removed", _without(document, path)


def _others(field: str, value: Any) -> tuple[Any, ...]:
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int):
        return (value + 1,)
    if field in OTHERS and value in OTHERS[field]:
        choices = OTHERS[field]
        return (choices[(choices.index(value) + 1) % len(choices)],)
    if isinstance(value, str) and value and value != "None":
        return (f"{value[:-1]}{'y' if value[-1] == 'x' else 'x'}",)
    return ()


def _same_as_port(document: Any, path: Path, value: Any) -> bool:
    """Tell whether it is a targetPort that is the port's own number: the default."""
    if path[-1] != "targetPort":
        return False
    for step in path[:-1]:
        document = document[step]
    return bool(document.get("port") == value)


def _with(document: Any, path: Path, value: Any) -> Any:
    changed = copy.deepcopy(document)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


def _without(document: Any, path: Path) -> Any:
    changed = copy.deepcopy(document)
    place = changed
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return changed


def _text(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _dump(documents: Sequence[Any]) -> str:
    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True)


@dataclass(frozen=True)
class Survivor:
    """Mutants, or attacks, that an exercise lets pass on purpose.

    Attributes:
        exercise: regular expression of exercise ids.
        reason: why nothing that the task asks for is broken.
        mutant: regular expression of mutants' names, "" for none.
        attack: regular expression of attacks' names ("scaled Deployment/web"), "" for none.
    """

    exercise: str
    reason: str
    mutant: str = ""
    attack: str = ""


@cache
def survivors() -> tuple[Survivor, ...]:
    """Read exercises/survivors.yaml. Raises OSError, TypeError where it is not a list of them."""
    text = (content_root() / "exercises" / "survivors.yaml").read_text(encoding="utf-8")
    return tuple(Survivor(**item) for item in yaml.safe_load(text))


def explained(exercise: str, mutant: str) -> str:
    """Tell why a mutant may pass, "" where nothing says so."""
    return _reason(exercise, mutant, [(item, item.mutant) for item in survivors()])


def excused(exercise: str, attack: str) -> str:
    """Tell why an attack may pass, "" where nothing says so."""
    return _reason(exercise, attack, [(item, item.attack) for item in survivors()])


def _reason(exercise: str, name: str, patterns: Sequence[tuple[Survivor, str]]) -> str:
    fits = (item for item, pattern in patterns if pattern and re.search(pattern, name))
    return next((item.reason for item in fits if re.fullmatch(item.exercise, exercise)), "")


def mutation_tasks(exercise: Exercise) -> tuple[Task, ...]:
    """List the mutants of the first answer that is a manifest as attempts."""
    reference = next((answer for answer in exercise.answers if answer.form is Form.MANIFEST), None)
    if reference is None:
        return ()
    return tuple(
        Task("mutation", mutant.name, mutant.text, "pass" if explained(exercise.id, mutant.name) else "fail")
        for mutant in mutants(reference.text)
    )
