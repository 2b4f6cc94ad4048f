"""The plugin rewrite, for names: exact, prefix, suffix, substring and regex, with `answer auto`.

Source: github.com/coredns/coredns v1.14.2 plugin/rewrite/name.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from grader.embedded.core.dnsrecords import DnsReply, Record

KINDS = ("exact", "prefix", "suffix", "substring", "regex")


@dataclass(frozen=True)
class Rule:
    """One rule about names.

    Attributes:
        kind: how names match.
        old: what is looked for; all but a regex ends in a dot, as upstream (plugin.Name.Normalize).
        new: what it becomes.
        goes_on: whether the next rule is tried after it.
        reverts: whether answers are given under the name that was asked for; of exact rules they always are.

    """

    kind: str
    old: str
    new: str
    goes_on: bool = False
    reverts: bool = False

    def rewritten(self, name: str) -> str | None:
        """The new name of a lower-case name, None where the rule is not about it."""
        match self.kind:
            case "exact":
                return self.new if name == self.old else None
            case "prefix":
                return self.new + name.removeprefix(self.old) if name.startswith(self.old) else None
            case "suffix":
                return name.removesuffix(self.old) + self.new if name.endswith(self.old) else None
            case "substring":
                return name.replace(self.old, self.new) if self.old in name else None
        found = re.search(self.old, name)
        if found is None:
            return None
        new = self.new
        for number, text in enumerate((found.group(0), *found.groups())):
            new = new.replace(f"{{{number}}}", text or "")
        return new

    def reverted(self, answer: DnsReply, asked: str, became: str) -> DnsReply:
        """The answer under the name that was asked for, where the rule says so."""
        if self.kind == "suffix" and self.reverts:

            def back(name: str) -> str:
                return name.removesuffix(self.new) + self.old if name.endswith(self.new) else name
        elif self.kind == "exact" or self.reverts:

            def back(name: str) -> str:
                return asked if name == became else name
        else:
            return answer
        return replace(answer, answers=_renamed(answer.answers, back), additional=_renamed(answer.additional, back))


def _renamed(records: tuple[Record, ...], back: Callable[[str], str]) -> tuple[Record, ...]:
    return tuple(
        replace(record, name=back(record.name), data=" ".join(back(word) for word in record.data.split(" ")))
        for record in records
    )
