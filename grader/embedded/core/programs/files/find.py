"""`find`, of BusyBox and of GNU.

Source: findutils/find.c of BusyBox 1.37.0; the words of GNU's refusals are those of findutils 4.10 (find/tree.c).
What asks for times, owners, modes or regular expressions is refused as something that is not known.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import translate

from grader.embedded.core.programs import options
from grader.embedded.core.programs.context import ProgramContext
from grader.embedded.core.programs.files.filesystem import children, exists, is_folder, read_file
from grader.embedded.core.programs.process import Exit
from grader.embedded.core.programs.small import execute

Test = Callable[["Place"], Awaitable[bool]]
_USAGE = "find [-HL] [PATH]... [OPTIONS] [ACTIONS]\n\nSearch for files and perform actions on them."


@dataclass
class Place:
    """A file or folder that was come to.

    Attributes:
        shown: its path as find writes it.
        path: its absolute path.
        folder: whether it is a folder.
        descend: whether what is inside is looked at too.
    """

    shown: str
    path: str
    folder: bool
    descend: bool = True


class _Quit(Exception):
    """`-quit`."""


@dataclass
class Find:
    """One run.

    Attributes:
        context: the program's surroundings.
        least: places above that depth are passed by (-mindepth).
        most: places below that depth are not come to (-maxdepth); -1: all are.
        depth: whether what is inside of a folder comes before it.
        acts: whether an action other than printing was asked for.
        batches: commands of `-exec … +`, and the paths for them.
    """

    context: ProgramContext
    least: int = 0
    most: int = -1
    depth: bool = False
    acts: bool = False
    code: int = 0
    batches: list[tuple[list[str], list[str]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    async def run(self, starts: list[str], words: list[str]) -> int:
        """Walk from each start; returns the exit code."""
        self.words = list(words)
        test = self._either()
        if self.words:
            raise self._refuse(self.words[0])
        try:
            for start in starts:
                await self._start(start, test)
        except _Quit:
            pass
        for command, paths in self.batches:
            if paths and await self._execute([*command, *paths]):
                self.code = 1
        return self.code

    async def _start(self, start: str, test: Test) -> None:
        path = self.context.path(start)
        if not exists(self.context, path):
            quote = f"‘{start}’" if self._gnu else start  # noqa: RUF001 - GNU's quotation marks
            self.context.error(f"find: {quote}: No such file or directory")
            self.code = 1
            return
        for place, depth in self._walk(Place(start, path, is_folder(self.context, path)), 0):
            if depth >= self.least and await test(place) and not self.acts:
                self.context.print(place.shown)

    def _walk(self, place: Place, depth: int) -> Iterator[tuple[Place, int]]:
        if not self.depth:
            yield place, depth
        if place.folder and place.descend and depth != self.most:
            for name in children(self.context, place.path):
                path = f"{place.path.rstrip('/')}/{name}"
                inner = Place(f"{place.shown.rstrip('/')}/{name}" if place.shown != "/" else path, path,
                              is_folder(self.context, path))  # fmt: skip
                yield from self._walk(inner, depth + 1)
        if self.depth:
            yield place, depth

    # --- the expression

    def _either(self) -> Test:
        parts = [self._both()]
        while self.words and self.words[0] in {"-o", "-or"}:
            self.words.pop(0)
            parts.append(self._both())

        async def test(place: Place) -> bool:
            for part in parts:
                if await part(place):
                    return True
            return False

        return test if len(parts) > 1 else parts[0]

    def _both(self) -> Test:
        parts: list[Test] = []
        while self.words and self.words[0] not in {"-o", "-or", ")"}:
            if self.words[0] in {"-a", "-and"}:
                self.words.pop(0)
                continue
            parts.append(self._one())

        async def test(place: Place) -> bool:
            for part in parts:
                if not await part(place):
                    return False
            return True

        return test

    def _one(self) -> Test:
        word = self.words.pop(0)
        if word in {"!", "-not"}:
            if not self.words:
                raise self._wants(word)
            inner = self._one()

            async def denied(place: Place) -> bool:
                return not await inner(place)

            return denied
        if word == "(":
            inside = self._either()
            if not self.words or self.words.pop(0) != ")":
                raise self.context.fail(1, "find: unpaired '('")
            return inside
        plain = self._plain(word)
        if plain is None:
            return self._action(word)

        async def holds(place: Place) -> bool:
            return plain(place)

        return holds

    def _plain(self, word: str) -> Callable[[Place], bool] | None:
        """What only looks at the place."""
        if word in {"-name", "-iname", "-path", "-wholename", "-ipath"}:
            pattern = re.compile(translate(self._value(word)), re.I if word.startswith("-i") else 0)
            if word in {"-name", "-iname"}:
                return lambda place: bool(pattern.match(place.shown.rstrip("/").rpartition("/")[2] or "/"))
            return lambda place: bool(pattern.match(place.shown))
        if word == "-type":
            kind = self._value(word)
            if kind not in tuple("fdlbcsp"):
                text = f"Unknown argument to -type: {kind}" if self._gnu else f"invalid argument '{kind}' to '-type'"
                raise self.context.fail(1, f"find: {text}")
            return lambda place: kind == ("d" if place.folder else "f")
        if word == "-empty":
            return self._is_empty
        if word in {"-maxdepth", "-mindepth"}:
            number = self._value(word)
            if not number.isdigit():
                raise self.context.fail(1, f"find: invalid number '{number}'")
            if word == "-maxdepth":
                self.most = int(number)
            else:
                self.least = int(number)
            return lambda place: True
        if word in {"-depth", "-follow", "-xdev", "-mount", "-noleaf"}:
            self.depth = self.depth or word == "-depth"
            return lambda place: True
        if word in {"-true", "-false"} and self._gnu:
            return lambda place: word == "-true"
        return None

    def _is_empty(self, place: Place) -> bool:
        return not (children(self.context, place.path) if place.folder else read_file(self.context, place.path))

    def _action(self, word: str) -> Test:
        if word == "-prune":

            async def prune(place: Place) -> bool:
                place.descend = False
                return True

            return prune
        if word not in {"-print", "-print0", "-quit", "-delete", "-exec"}:
            raise self._refuse(word)
        self.acts = True
        if word == "-exec":
            return self._exec()
        self.depth = self.depth or word == "-delete"

        async def act(place: Place) -> bool:
            if word == "-quit":
                raise _Quit
            if word == "-delete":
                self._delete(place)
            else:
                self.context.out(f"{place.shown}{chr(0) if word == '-print0' else chr(10)}".encode())
            return True

        return act

    def _delete(self, place: Place) -> None:
        files = self.context.host.files
        files.pop(f"{place.path}/.keep" if place.folder else place.path, None)

    def _exec(self) -> Test:
        command: list[str] = []
        while self.words and self.words[0] != ";" and not (self.words[0] == "+" and command[-1:] == ["{}"]):
            command.append(self.words.pop(0))
        if not command or not self.words:
            raise self._wants("-exec")
        if self.words.pop(0) == "+":
            batch: tuple[list[str], list[str]] = (command[:-1], [])
            self.batches.append(batch)

            async def gather(place: Place) -> bool:
                batch[1].append(place.shown)
                return True

            return gather

        async def each(place: Place) -> bool:
            return await self._execute([part.replace("{}", place.shown) for part in command]) == 0

        return each

    async def _execute(self, command: list[str]) -> int:
        try:
            return await execute(self.context, command)
        except Exit as done:
            return done.code

    # --- what is wrong

    @property
    def _gnu(self) -> bool:
        return self.context.image.flavour != "busybox"

    def _value(self, word: str) -> str:
        if not self.words:
            raise self._wants(word)
        return self.words.pop(0)

    def _wants(self, word: str) -> Exit:
        text = f"missing argument to `{word}'" if self._gnu else f"{word} requires an argument"
        return self.context.fail(1, f"find: {text}")

    def _refuse(self, word: str) -> Exit:
        if self._gnu:
            return self.context.fail(1, f"find: unknown predicate `{word}'")
        self.context.error(f"find: unrecognized: {word}")
        return options.show_usage(self.context, _USAGE)


async def find(context: ProgramContext) -> int:
    """`find [path…] [expression]`."""
    words = list(context.args)
    while words and words[0] in {"-H", "-L"}:
        words.pop(0)
    starts: list[str] = []
    while words and not words[0].startswith("-") and words[0] not in {"!", "("}:
        starts.append(words.pop(0))
    return await Find(context).run(starts or ["."], words)
