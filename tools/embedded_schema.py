"""Build `grader/embedded/core/api/schema/data/schema.json.gz` from the sources of Kubernetes.

    python -m tools.embedded_schema --kubernetes DIR --api DIR --apimachinery DIR

The three folders are the Go modules k8s.io/kubernetes, k8s.io/api and k8s.io/apimachinery of one version, as
`go mod download` unpacks them (`go list -m -f '{{.Dir}}' k8s.io/kubernetes`). The file holds, for the kinds that the
embedded cluster serves and everything they refer to:

definitions  the OpenAPI v3 schemas (api/openapi-spec/v3 of Kubernetes), without their prose, as `kubectl explain` and
             `apply` read them and as strict decoding, merge keys and field ownership need them; with the enums that
             the API server serves (pkg/generated/openapi) and the published documents leave out;
wire         the protobuf field numbers of the same types (struct tags in types.go), because kubectl sends protobuf;
always       fields that are written even when they are empty (no omitempty in their JSON tag);
named        fields whose Go type is a named string or number, because the server says its name to who sends another.

The result is the same, byte by byte, for the same sources.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "grader" / "embedded" / "core" / "api" / "schema" / "data" / "schema.json.gz"

KINDS = {
    "api__v1": [
        "Binding", "ComponentStatus", "ConfigMap", "Endpoints", "Event", "Namespace", "Node",
        "PersistentVolume", "PersistentVolumeClaim",
        "LimitRange", "Pod", "ReplicationController", "ResourceQuota", "Secret", "Service", "ServiceAccount",
    ],
    "apis__apps__v1": ["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"],
    "apis__authorization.k8s.io__v1": ["SelfSubjectAccessReview", "SelfSubjectRulesReview"],
    "apis__authentication.k8s.io__v1": ["SelfSubjectReview"],
    "apis__autoscaling__v1": ["HorizontalPodAutoscaler"],
    "apis__autoscaling__v2": ["HorizontalPodAutoscaler"],
    "apis__batch__v1": ["CronJob", "Job"],
    "apis__coordination.k8s.io__v1": ["Lease"],
    "apis__discovery.k8s.io__v1": ["EndpointSlice"],
    "apis__events.k8s.io__v1": ["Event"],
    "apis__networking.k8s.io__v1": ["Ingress", "IngressClass", "IPAddress", "NetworkPolicy", "ServiceCIDR"],
    "apis__policy__v1": ["PodDisruptionBudget"],
    "apis__scheduling.k8s.io__v1": ["PriorityClass"],
    "apis__storage.k8s.io__v1": ["StorageClass"],
}  # fmt: skip

ALWAYS = ["Status", "DeleteOptions", "WatchEvent"]
SUBRESOURCES = {
    "api__v1": ["io.k8s.api.policy.v1.Eviction", "io.k8s.api.authentication.v1.TokenRequest"],
    "apis__apps__v1": ["io.k8s.api.autoscaling.v1.Scale"],
}
"""Kinds of subresources: their schemas are in the documents of the groups that serve them."""

GO_FIELD = re.compile(
    r'^\s+(?:(\w+)\s+)?([\w.\[\]*]+)\s+`json:"([^"]*)"(?:\s+\w+:"[^"]*")*?\s+protobuf:"(\w+),(\d+),[^"]*"',
    re.M,
)
GO_COLLECTION = re.compile(r"^type (\w+) ((?:map\[|\[\])\S+)$", re.M)
GO_STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.M | re.S)
GO_SCHEMA = re.compile(r"^func schema_k8sio_(api_\w+)\(")
GO_PROPERTY = re.compile(r'^\t{5}"([^"]+)": \{$')
GO_ENUM = re.compile(r"^\t+Enum: +\[\]interface\{\}\{(.*)\},$")
GO_IMPORT = {
    "metav1": "io.k8s.apimachinery.pkg.apis.meta.v1",
    "v1": "io.k8s.api.core.v1",
    "corev1": "io.k8s.api.core.v1",
    "apiv1": "io.k8s.api.core.v1",
    "api": "io.k8s.api.core.v1",
    "v11": "io.k8s.api.core.v1",
    "resource": "io.k8s.apimachinery.pkg.api.resource",
    "intstr": "io.k8s.apimachinery.pkg.util.intstr",
    "runtime": "io.k8s.apimachinery.pkg.runtime",
    "types": "io.k8s.apimachinery.pkg.types",
    "apidiscovery": "",
}
NAMED: dict[str, dict[str, str]] = {}
"""Go name of the type of a field or of its elements, by definition and JSON name."""
ALWAYS_WRITTEN: dict[str, list[str]] = {}
"""JSON names of fields without omitempty, by definition."""
COLLECTIONS: dict[str, str] = {}
"""Named map and list types, such as ResourceList, by package and name (core ones also as `v1.NAME`)."""
STRUCTS: dict[str, set[str]] = {}
"""Names of the structs of each package read so far: what else another package is asked for is a named scalar."""
SPECIAL = {
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
    "io.k8s.apimachinery.pkg.api.resource.Quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    "io.k8s.apimachinery.pkg.runtime.RawExtension",
}


def references(node: Any) -> set[str]:
    """Names of all definitions that a schema refers to."""
    if isinstance(node, dict):
        found = {node["$ref"].rsplit("/", 1)[1]} if isinstance(node.get("$ref"), str) else set()
        return found.union(*(references(value) for value in node.values())) if node else found
    if isinstance(node, list):
        return set().union(*(references(value) for value in node)) if node else set()
    return set()


def without_prose(node: Any) -> Any:
    """Drop every description: the sentences come from the installed official client (core/api/describe/prose.py)."""
    if isinstance(node, list):
        return [without_prose(item) for item in node]
    if not isinstance(node, dict):
        return node
    named = {"properties": lambda fields: {name: without_prose(field) for name, field in fields.items()}}
    return {
        key: named.get(key, without_prose)(value)
        for key, value in node.items()
        if not (key == "description" and isinstance(value, str))
    }


def definitions(spec: Path) -> dict[str, Any]:
    """Schemas of all served kinds, their lists, and what they refer to."""
    result: dict[str, Any] = {}
    for document, kinds in KINDS.items():
        schemas = json.loads((spec / f"{document}_openapi.json").read_text())["components"]["schemas"]
        version = document.rsplit("__", 1)[1]
        wanted = list(SUBRESOURCES.get(document, ()))
        for name, schema in schemas.items():
            kind = name.rsplit(".", 1)[1]
            for gvk in schema.get("x-kubernetes-group-version-kind", ()):
                group = document.split("__")[1] if document.count("__") == 2 else ""
                ours = (gvk["group"], gvk["version"]) == (group, version)
                if ours and (kind in ALWAYS or kind in kinds or (kind.endswith("List") and kind[:-4] in kinds)):
                    wanted.append(name)
        while wanted:
            name = wanted.pop()
            if name in result:
                continue
            result[name] = without_prose(schemas[name])
            wanted.extend(references(schemas[name]))
    return result


def with_enums(held: dict[str, Any], source: Path) -> None:
    """Put the values that a string may have into the schemas."""
    group_of = {name.removeprefix("io.k8s.").replace(".", "_"): name for name in held}
    schema: dict[str, Any] = {}
    field = ""
    for line in source.read_text().splitlines():
        if function := GO_SCHEMA.match(line):
            schema = held.get(group_of.get(function[1], ""), {})
        elif found := GO_PROPERTY.match(line):
            field = found[1]
        elif (enum := GO_ENUM.match(line)) and field in schema.get("properties", {}):
            held_by = schema["properties"][field]
            depth_of_list = "\t" * 9
            owner = held_by["items"] if line.startswith(depth_of_list) and "items" in held_by else held_by
            owner["enum"] = json.loads(f"[{enum[1]}]")


def structs(package: str, folder: Path) -> dict[str, dict[str, list[str]]]:
    """Protobuf field numbers of a Go package: {definition: {number: [JSON name or "" where inlined, type, mode]}}."""
    text = "\n".join(path.read_text() for path in sorted(folder.glob("*.go")) if not path.name.startswith("zz_"))
    names = STRUCTS[package] = {match[1] for match in GO_STRUCT.finditer(text)}
    COLLECTIONS.update({f"{package}.{name}": go_type for name, go_type in GO_COLLECTION.findall(text)})
    COLLECTIONS.update({f"v1.{name}": go_type for name, go_type in GO_COLLECTION.findall(text) if ".core." in package})
    result: dict[str, dict[str, list[str]]] = {}
    for match in GO_STRUCT.finditer(text):
        fields: dict[str, list[str]] = {}
        for _, go_type, json_tag, wire, number in GO_FIELD.findall(match[2]):
            json_name, _, options = json_tag.partition(",")
            inline = "inline" in options or not json_name
            fields[number] = ["" if inline else json_name, *field_type(go_type, wire, package, names)]
            if not inline and "omitempty" not in options:
                ALWAYS_WRITTEN.setdefault(f"{package}.{match[1]}", []).append(json_name)
            element = go_type.removeprefix("[]").removeprefix("*")
            if not inline and len(fields[number][1]) == 1 and (element[0].isupper() or "." in element):
                named = element if "." in element else f"{package.rpartition('.')[2]}.{element}"
                NAMED.setdefault(f"{package}.{match[1]}", {})[json_name] = named
        if fields:
            result[f"{package}.{match[1]}"] = fields
    return result


def field_type(go_type: str, wire: str, package: str, names: set[str]) -> tuple[str, str]:
    """Element type and mode of a Go type.

    The element is a scalar (s string, b bytes, i integer, o bool, f float) or a definition; the mode is "" plain,
    "?" pointer (an explicit zero counts), "[]" list, "{}" map with string keys.
    """
    mode = ""
    go_type = COLLECTIONS.get(go_type if "." in go_type else f"{package}.{go_type}", go_type)
    if go_type.startswith("map["):
        mode, go_type = "{}", go_type.split("]", 1)[1]
    elif go_type.startswith("[]") and go_type != "[]byte":
        mode, go_type = "[]", go_type[2:]
    if go_type.startswith("*"):
        mode, go_type = mode or "?", go_type[1:]
    if go_type == "[]byte":
        return "b", mode
    if go_type == "bool":
        return "o", mode
    if go_type.startswith("float"):
        return "f", mode
    prefix, _, name = go_type.rpartition(".")
    owner = GO_IMPORT[prefix] if prefix else package
    full = f"{owner}.{name}"
    known = STRUCTS.get(owner, names if not prefix else None)
    if prefix == "types" or (known is not None and name not in known and full not in SPECIAL):
        return ("i" if wire == "varint" or name.startswith(("int", "uint")) else "s"), mode
    if wire == "varint":
        return "i", mode
    return full, mode


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("kubernetes", "api", "apimachinery"):
        parser.add_argument(f"--{name}", type=Path, required=True, help=f"folder of the Go module k8s.io/{name}")
    arguments = parser.parse_args()
    held = definitions(arguments.kubernetes / "api" / "openapi-spec" / "v3")
    with_enums(held, arguments.kubernetes / "pkg" / "generated" / "openapi" / "zz_generated.openapi.go")
    wire: dict[str, dict[str, list[str]]] = {}
    meta = "io.k8s.apimachinery.pkg.apis.meta.v1"
    wire |= structs(meta, arguments.apimachinery / "pkg" / "apis" / "meta" / "v1")
    for document in KINDS:
        group = document.split("__")[1].split(".")[0] if document.count("__") == 2 else "core"
        version = document.rsplit("__", 1)[1]
        wire |= structs(f"io.k8s.api.{group}.{version}", arguments.api / group / version)
    needed = set(held)
    while True:  # inlined structs (VolumeSource, ProbeHandler, …) have a number of their own but no OpenAPI definition
        more = {kind for name in needed for _, kind, _ in wire.get(name, {}).values() if "." in kind} - needed
        if not more:
            break
        needed |= more
    content = {
        "always": {name: ALWAYS_WRITTEN[name] for name in sorted(needed) if name in ALWAYS_WRITTEN},
        "definitions": {name: held[name] for name in sorted(held)},
        "named": {name: NAMED[name] for name in sorted(needed) if name in NAMED},
        "wire": {name: wire[name] for name in sorted(needed) if name in wire and name not in SPECIAL},
    }
    text = json.dumps(content, separators=(",", ":"), sort_keys=True).encode()
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_bytes(gzip.compress(text, 9, mtime=0))
    print(f"{OUTPUT.relative_to(ROOT)}: {len(held)} definitions, {len(text)} bytes, {OUTPUT.stat().st_size} compressed")


if __name__ == "__main__":
    main()
