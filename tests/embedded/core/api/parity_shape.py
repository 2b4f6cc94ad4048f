"""What is compared of an answer: everything but what differs from one run to the next."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.embedded.core.api import parity_cases

MASKED = ("uid", "resourceVersion", "creationTimestamp", "time", "selfLink")


def http(step: parity_cases.Step) -> tuple[str, str, Any, str]:
    """Method, path, body and content type of a step."""
    method, path, body = step
    version, _, rest = path.partition("/")
    root = "/api/v1" if version == "v1" else f"/apis/{version}/{rest.partition('/')[0]}"
    rest = rest if version == "v1" else rest.partition("/")[2]
    full = f"{root}/namespaces/{parity_cases.NAMESPACE}/{rest}"
    strict = "" if "fieldManager" in full else ("&" if "?" in full else "?") + "fieldValidation=Strict"
    if method.isupper():
        return method, full + strict if body is not None else full, body, "application/json"
    return "PATCH", full + (strict if method != parity_cases.APPLY else ""), body, f"application/{method}"


def shape(answer: tuple[int, Any, list[str]], steps: list[parity_cases.Step]) -> dict[str, Any]:
    """The comparable part of an answer."""
    code, body, warnings = answer
    asked = json.dumps(steps)
    return {"code": code, "body": _masked(body, asked), "warnings": warnings}


def _masked(node: Any, asked: str, key: str = "") -> Any:
    if isinstance(node, dict):
        shown = {name: _masked(value, asked, name) for name, value in node.items() if name not in MASKED}
        if "deployment.kubernetes.io/revision" in shown.get("annotations", {}):  # a controller was faster
            del shown["annotations"]
        if any(item.get("type") == "Progressing" for item in shown.get("conditions", ()) if isinstance(item, dict)):
            del shown["conditions"]
        if "managedFields" in shown:  # within one second the order is Go's map order
            shown["managedFields"] = [e for e in shown["managedFields"] if e["manager"] != "kube-controller-manager"]
            shown["managedFields"].sort(key=lambda entry: (entry["operation"], entry["manager"]))
        return shown
    if isinstance(node, list):
        return [_masked(item, asked, key) for item in node]
    if key in ("nodePort", "healthCheckNodePort") and str(node) not in asked:
        return "PORT"
    if isinstance(node, str):
        return _text(node, asked)
    return node


def _text(text: str, asked: str) -> str:
    text = re.sub(r"10\.96\.\d+\.\d+", lambda match: match[0] if match[0] in asked else "IP", text)
    text = re.sub(r"(?<=nodePort: \{(?:TCP|UDP) )\d+", lambda match: match[0] if match[0] in asked else "PORT", text)
    text = re.sub(r"(?<=Duplicate value: )3\d{4}$", lambda match: match[0] if match[0] in asked else "PORT", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    text = re.sub(r"kube-api-access-[a-z0-9]{5}", "kube-api-access-X", text)
    text = re.sub(r"\bweb-[a-z0-9]{5}\b", "web-X", text)
    text = re.sub(r"(previously negative\)\n).*", r"\1DIFF", text, flags=re.S)
    text = re.sub(r'patch: Invalid value: "\{.*\}": ', 'patch: Invalid value: "OBJECT": ', text)
    text = re.sub(r'^Invalid value: "\{\\"apiVersion.*\}": ', 'Invalid value: "OBJECT": ', text)
    return re.sub(r"\\?\"(uid|resourceVersion|creationTimestamp)\\?\":\\?\"[^\"]*\"", r'"\1":X', text)


def written(recorded: dict[str, Any]) -> str:
    """The file of recorded answers: one line a case, so that a change is seen."""
    lines = [
        f"  {json.dumps(name)}: {json.dumps(answers, separators=(',', ':'), ensure_ascii=False, sort_keys=True)}"
        for name, answers in recorded["answers"].items()
    ]
    listed = ",\n".join(lines)
    return f'{{\n "version": {json.dumps(recorded["version"])},\n "answers": {{\n{listed}\n }}\n}}\n'
