"""Mutants change one thing each, and what may survive is explained."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from grader.exercises import all_exercises
from grader.workflow.proof.mutations import explained, mutants, mutation_tasks, survivors

SERVICE = """
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: NodePort
  selector:
    app: web
  ports:
    - port: 80
      targetPort: 8080
      protocol: TCP
"""


def names(text: str) -> set[str]:
    return {mutant.name for mutant in mutants(text)}


def test_every_value_is_changed_and_every_field_taken_away() -> None:
    assert names(SERVICE) == {
        "Service/web metadata.name=wex",
        "Service/web spec.type=LoadBalancer",
        "Service/web spec.type removed",
        "Service/web spec.selector.app=wex",
        "Service/web spec.selector.app removed",
        "Service/web spec.ports[0].port=81",
        "Service/web spec.ports[0].port removed",
        "Service/web spec.ports[0].targetPort=8081",
        "Service/web spec.ports[0].targetPort removed",
        "Service/web spec.ports[0].protocol=UDP",
    }


def test_taking_a_default_away_is_no_mutant() -> None:
    same = SERVICE.replace("targetPort: 8080", "targetPort: 80").replace("type: NodePort", "type: ClusterIP")
    assert not {name for name in names(same) if name.endswith(("targetPort removed", "type removed"))}


def test_of_several_objects_each_is_left_out_once() -> None:
    two = f"{SERVICE}---{SERVICE.replace('name: web', 'name: api')}"
    assert {name for name in names(two) if name.endswith("left out")} == {
        "Service/web left out",
        "Service/api left out",
    }


def test_an_object_that_is_applied_twice_has_mutants_of_two_names() -> None:
    twice = f"{SERVICE}---{SERVICE}"
    assert len(names(twice)) == len(mutants(twice))
    assert {"Service/web left out", "Service/web#2 left out"} <= names(twice)


@given(
    st.dictionaries(
        st.sampled_from(("port", "targetPort", "nodePort", "name", "protocol")),
        st.one_of(st.integers(1, 65535), st.booleans(), st.sampled_from(("TCP", "UDP", "http", "x"))),
        min_size=1,
    )
)
def test_no_mutant_equals_the_answer_or_another_mutant(port: dict[str, object]) -> None:
    text = yaml.safe_dump({"kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [port]}})
    made = [yaml.safe_load(mutant.text) for mutant in mutants(text)]
    assert yaml.safe_load(text) not in made
    assert all(one not in made[:index] for index, one in enumerate(made))


def test_only_a_mutant_that_is_explained_is_expected_to_pass() -> None:
    assert explained("nodeport", "Service/web-nodeport spec.selector.app removed")
    assert explained("nodeport", "Service/web-nodeport spec.ports[0].port=81") == ""
    assert explained("clusterip", "Service/web-nodeport spec.selector.app removed") == ""


def test_every_explained_survivor_is_still_made() -> None:
    made = [(exercise.id, task.name) for exercise in all_exercises() for task in mutation_tasks(exercise)]
    assert {explained(*key) for key in made} - {""} == {item.reason for item in survivors() if item.mutant}
