"""What the parsers beside the API's fields take: kinds, images, programs, shell, nginx, Corefile, rights of an account.

Nothing is listed here: each part is read from the table by which its parser works.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from grader.embedded.core.api.access import rbac as access
from grader.embedded.core.api.kinds import registry as resources
from grader.embedded.core.coredns import corefile, setup
from grader.embedded.core.programs.images import specs as image_specs
from grader.embedded.core.programs.servers.nginx import directives as nginx_directives
from grader.embedded.core.programs.shell import builtins as shell_builtins
from grader.embedded.core.programs.shell import parser as shell_parser
from grader.embedded.core.support import keys
from grader.embedded.core.support.states import Done, Warned

MAKES = ("ash", "bash", "dash")


@dataclass(frozen=True)
class Part:
    """One language, or one table of names.

    Attributes:
        name: its name, a key of the site's page on limits (grader/text/ja/lessons.yaml).
        done: what is emulated.
        inert: what is taken and changes nothing that anybody could observe.
        told: what is taken without an effect, and told of where it is met (a line of a log, a warning).
        refused: what the real thing has and this one refuses.
    """

    name: str
    done: tuple[str, ...]
    inert: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def parts() -> tuple[Part, ...]:
    """All parts, in the order of the page."""
    return (_kinds(), _keys(), _access(), _images(), _programs(), _shell(), _nginx(), _corefile())


def _kinds() -> Part:
    missing = (kind for kinds in resources.NOT_SERVED.values() for kind in kinds)
    return Part("kinds", _sorted(entry.kind for entry in resources.REGISTRY), refused=_sorted(missing))


def _keys() -> Part:
    states = {**keys.LABELS, **keys.ANNOTATIONS}
    told = (key for key, state in states.items() if isinstance(state, Warned))
    return Part("keys", _sorted(key for key, state in states.items() if isinstance(state, Done)), told=_sorted(told))


def _access() -> Part:
    reviews = (f"create {plural}.{group}" for group, plural in access.OWN_REVIEWS)
    paths = (f"get {path}" for path in access.PUBLIC | access.DISCOVERY)
    return Part("access", _sorted([*reviews, *paths]))


def _images() -> Part:
    return Part("images", _sorted([*image_specs.IMAGES, *image_specs.ALIASES]))


def _programs() -> Part:
    return Part("programs", _sorted(name for spec in image_specs.IMAGES.values() for name in spec.programs))


def _shell() -> Part:
    """The shell's words; what is refused has the makes that have it: `let (ash, bash)`."""
    makes: dict[str, list[str]] = {}
    for make in MAKES:
        for name in shell_builtins.lacking(make):
            makes.setdefault(name, []).append(make)
    refused = (f"{name} ({', '.join(having)})" for name, having in makes.items())
    return Part("shell", _sorted([*shell_parser.RESERVED, *shell_builtins.BUILTINS]), refused=_sorted(refused))


def _nginx() -> Part:
    done, inert = nginx_directives.OBEYED, nginx_directives.HARMLESS
    told = nginx_directives.RULES.keys() - done - inert
    return Part("nginx", _sorted(done), _sorted(inert), _families(told, nginx_directives.RULES))


def _corefile() -> Part:
    done, inert = {*setup.PLUGINS, "import"}, setup.INERT
    return Part("corefile", _sorted(done), _sorted(inert), _sorted(corefile.DIRECTIVES - done - inert))


def _families(names: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """Shorten names that begin alike, where none but these begins so: `fastcgi_*`."""
    rest, found = set(names), set[str]()
    others = set(known) - rest
    for head in sorted({"_".join(name.split("_")[:depth]) + "_" for name in rest for depth in (1, 2)}, key=len):
        family = {name for name in rest if name.startswith(head)}
        if len(family) > 1 and not any(name.startswith(head) for name in others):
            rest -= family
            found.add(f"{head}*")
    return _sorted(rest | found)


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names), key=str.lower))
