"""The commands that each make of shell has of its own.

Sources: `help` of BusyBox 1.35 (shell/ash.c, builtintab, tokname_array), `command -v` of dash 0.5.12
(src/builtins.def.in), `compgen -b` and `compgen -k` of bash 5.2.15, on a kind cluster of Kubernetes 1.36.3.
"""

from __future__ import annotations

from collections.abc import Mapping

_EVERYWHERE = (
    ". : [ alias bg break cd command continue echo eval exec exit export false fg getopts hash jobs kill local printf "
    "pwd read readonly return set shift test times trap true type ulimit umask unalias unset wait"
)
OWN: Mapping[str, frozenset[str]] = {
    "ash": frozenset(f"{_EVERYWHERE} [[ chdir function help history let source".split()),
    "dash": frozenset(f"{_EVERYWHERE} chdir".split()),
    "bash": frozenset(
        f"{_EVERYWHERE} [[ bind builtin caller compgen complete compopt coproc declare dirs disown enable fc function "
        "help history let logout mapfile popd pushd readarray select shopt source suspend time typeset".split()
    ),
}
"""By make: its builtins, and its reserved words beyond those of POSIX."""


def own(make: str) -> frozenset[str]:
    """What a make of shell has; any that is not known by name is ash."""
    return OWN.get(make, OWN["ash"])
