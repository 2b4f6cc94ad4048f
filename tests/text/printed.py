"""Every command that the course prints, and what is wrong with one that a person would paste."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.text import catalogue, labels

ROOT = Path(__file__).parents[2]
CATALOGUES = (
    "classroom",
    "cli",
    "diagnoses",
    "environment",
    "errors",
    "lessons",
    "progress",
    "proofs",
    "refusals",
    "words",
)

# kubectl's verbs whose objects live in a Namespace, mostly (kubectl api-resources --namespaced=false for the rest)
NAMESPACED = frozenset(
    "annotate apply attach autoscale cp create debug delete describe edit events exec expose get label logs patch "
    "port-forward replace rollout run scale set top wait".split()
)
CLUSTER_WIDE = frozenset(
    "apiservices clusterrole clusterrolebinding crd csr customresourcedefinition ingressclass ingressclasses ipaddress "
    "$node ipaddresses namespace namespaces node nodes ns pv servicecidr servicecidrs storageclass".split()
)
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_HERE = re.compile(r"<<-?'?(\w+)'?.*?^\1$", re.MULTILINE | re.DOTALL)
_SPLIT = re.compile(r"\|\||&&|[|;\n]|\$\(|<\(|(?<!\S)(?:do|then|if|while|until|!)\s")


@dataclass(frozen=True)
class Printed:
    """A command at its place; `mention` inside of a document's sentence, where a short one only names a tool."""

    command: str
    place: str
    mention: bool = False


def sentences(value: object, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from sentences(item, f"{place}/{key}")
    elif isinstance(value, str):
        yield value, place


def commands_of(script: str) -> Iterator[str]:
    """Cut a shell script into its simple commands, roughly."""
    joined = _HERE.sub("", script).replace("\\\n", " ")
    for piece in _SPLIT.split(joined):
        command = piece.split(" #")[0].strip().rstrip(")").strip()
        if command and not command.startswith("#"):
            yield re.sub(r"^(?:[A-Z_a-z]+=\S*\s+|timeout \S+ )+", "", command)


def of_markdown(path: Path) -> Iterator[Printed]:
    text = path.read_text(encoding="utf-8")
    place = str(path.relative_to(ROOT))
    for language, body in _FENCE.findall(text):
        if language in ("bash", "sh"):
            yield from (Printed(command, place) for command in commands_of(body))
    for span in _SPAN.findall(_FENCE.sub("", text)):
        yield Printed(span, place, mention=True)


def of_catalogues() -> Iterator[Printed]:
    tables = [(name, catalogue(name)) for name in CATALOGUES]
    for name, table in (*tables, ("labels", labels())):
        for sentence, place in sentences(table, name):
            yield from (Printed(span, place) for span in _SPAN.findall(sentence))
            if name in ("labels", "cli"):  # plain text: a command stands behind its label, or on a line of its own
                for line in _SPAN.sub("", sentence).splitlines():
                    if found := re.search(r"(?<![\w./-])((?:eval|kubectl|grader) [!-~]+(?: [!-~]+)*)", line):
                        yield Printed(found[1].split("  ")[0], place)


def documents() -> list[Path]:
    found = [ROOT / "README.md", *(ROOT / "site" / "pages").rglob("*.md"), *(ROOT / "course").glob("[0-9]*.md")]
    return [*found, *(path for name in ("task", "hints", "solution") for path in ROOT.glob(f"exercises/*/{name}.md"))]


def lacks_namespace(printed: Printed) -> bool:
    """Tell whether a command, pasted, asks whatever Namespace the shell is in."""
    words = printed.command.split()
    if words[:1] != ["kubectl"]:
        return False
    try:
        words = shlex.split(printed.command)
    except ValueError:
        pass
    verb = next((word for word in words[1:] if not word.startswith("-") and word != "kube-system"), "")
    if verb not in NAMESPACED or any(word.startswith(("--raw", "--help", "--dry-run=client")) for word in words):
        return False
    if any(word in ("-n", "-A", "--all-namespaces") or word.startswith("--namespace") for word in words):
        return False
    after = [word for word in words[words.index(verb) + 1 :] if not word.startswith("-")]
    if after and all(kind in CLUSTER_WIDE for kind in after[0].split("/")[0].split(",")):
        return False
    named = 2 if verb in ("create", "set", "rollout") else 1  # "kubectl create service clusterip" names a tool
    return not (printed.mention and len(words) <= 2 + named)
