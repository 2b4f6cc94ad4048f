"""The screen of `grader watch`: keys on one side, the work on the other, drawn by prompt_toolkit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.layout import FormattedTextControl, Layout, Window
from prompt_toolkit.output import ColorDepth, Output

from grader.cli.panes import Page, Painter, Pane, View
from grader.cluster.info import ClusterInfo
from grader.errors import CourseError
from grader.model.exercise import Exercise
from grader.paths import near, work_root
from grader.text import labels
from grader.workflow.session import hints, progress
from grader.workflow.session.find import following
from grader.workflow.session.lookback import look_back
from grader.workflow.session.watch import Cause, Doing, Seen, Watching

LEAVE_SECONDS = 5.0
"""How long the work may take to come to an end: it takes away what it made in the cluster to compare with."""


class Screen:
    """Shows the work on exercises until the learner leaves."""

    def __init__(
        self,
        cluster: ClusterInfo,
        exercises: Sequence[Exercise],
        *,
        deadline: float,
        program: str,
        color: bool,
        input: Input | None = None,
        output: Output | None = None,
        make: Callable[..., Watching] = Watching,
    ) -> None:
        """Prepare; nothing is drawn yet.

        Args:
            cluster: where.
            exercises: all of them, in order.
            deadline: as `grader.workflow.check.check`.
            program: what starts this program in the reader's shell.
            color: whether colours are shown.
            input: the keyboard, standard input where None.
            output: the terminal, standard output where None.
            make: makes what does the work.

        """
        self._exercises = tuple(exercises)
        self._painter = Painter(color=color, program=program)
        self._work = make(cluster, work_root(), self._tell, deadline=deadline)
        self._view: View | None = None
        self._confirming, self._sure = "", False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._error: BaseException | None = None
        control = FormattedTextControl(self._draw, focusable=True, show_cursor=False)
        self.application: Application[None] = Application(
            Layout(Window(control, wrap_lines=False, always_hide_cursor=True)),
            key_bindings=self._keys(),
            full_screen=True,
            color_depth=None if color else ColorDepth.DEPTH_1_BIT,
            input=input,
            output=output,
        )
        self.application.ttimeoutlen = 0.05  # of the key Esc, which begins other keys too

    def run(self, first: Exercise) -> None:
        """Show the work, beginning with an exercise, until the learner leaves. Raises what ended the work."""
        thread = threading.Thread(target=self._do, args=(first,), name="watch", daemon=True)

        def begin() -> None:
            self._loop = asyncio.get_running_loop()
            thread.start()

        try:
            self.application.run(pre_run=begin)
        finally:
            self._work.stop()
            if thread.ident:
                thread.join(LEAVE_SECONDS)
        if self._error:
            raise self._error

    # -- the thread of the work

    def _do(self, first: Exercise) -> None:
        try:
            self._work.run(first)
        except Exception as error:
            self._error = error
            self._soon(self._leave)

    def _tell(self, seen: Seen) -> None:
        known = progress.load()
        self._soon(lambda: self._take(seen, known))

    def _soon(self, do: Callable[[], None]) -> None:
        """Have the thread of the screen do something, where the screen is still there."""
        assert self._loop is not None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(do)

    # -- the thread of the screen

    def _leave(self) -> None:
        if self.application.is_running and not self.application.is_done:
            self.application.exit()

    def _take(self, seen: Seen, known: progress.Progress) -> None:
        view = self._view
        if view is None or view.seen.exercise is not seen.exercise:
            at = next((n for n, item in enumerate(self._exercises) if item.id == seen.exercise.id), 0)
            view = View(seen, self._exercises, known, chosen=at)
        elif seen.error or (seen.report is not view.seen.report and _turns(seen.cause, view.pane)):
            view = replace(view, pane=Pane.VERDICT, top=0)
        elif seen.doing is Doing.RESETTING:
            view = replace(view, pane=Pane.TASK, top=0, hints=())
        file = str(near(seen.begun.starter)) if seen.begun else view.file
        if seen.passed and not view.seen.passed:
            view = replace(view, note="")  # what it said was true before
        self._view = replace(view, seen=seen, progress=known, file=file)
        self.application.invalidate()

    def _draw(self) -> ANSI:
        if self._view is None:
            return ANSI("")
        size = self.application.output.get_size()
        page: Page = self._painter.page(self._view, size.rows, size.columns)
        self._view = replace(self._view, top=page.top)
        return ANSI("\n".join(page.lines))

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        def on(*names: str) -> Callable[[Callable[[View], View | None]], None]:
            def bind(do: Callable[[View], View | None]) -> None:
                def press(event: KeyPressEvent) -> None:
                    if self._view is not None:
                        before, self._confirming = self._confirming, ""
                        self._sure = before == names[0]
                        self._view = do(replace(self._view, note="")) or self._view

                for name in names:
                    keys.add(name, eager=True)(press)

            return bind

        on("n")(self._next)
        on("h")(self._hint)
        on("s")(self._solution)
        on("r")(self._reset)
        on("enter")(self._choose)
        on("t")(lambda view: replace(view, pane=Pane.TASK, top=0))
        on("l")(lambda view: replace(view, pane=Pane.LIST, top=0))
        on("escape", "c")(lambda view: replace(view, pane=Pane.VERDICT, top=0))
        on("up", "k")(lambda view: self._move(view, -1))
        on("down", "j")(lambda view: self._move(view, 1))
        on("pageup")(lambda view: self._move(view, -10))
        on("pagedown", " ")(lambda view: self._move(view, 10))
        keys.add("q")(lambda _: self._leave())
        keys.add("c-c")(lambda _: self._leave())
        keys.add("c-z")(lambda event: event.app.suspend_to_background())
        return keys

    def _next(self, view: View) -> View:
        if not view.seen.passed:
            return replace(view, note=labels()["watch.not-passed"])
        going = following(self._exercises, view.seen.exercise)
        if going is None:
            return replace(view, note=labels()["watch.finished"])
        self._work.go(going)
        return view

    def _hint(self, view: View) -> View:
        chosen = view.seen.exercise
        try:
            opened = hints.opened(chosen)
            if view.pane is Pane.HINTS or not opened:
                hints.next_hint(chosen)
                opened = hints.opened(chosen)
        except (CourseError, OSError) as error:
            return replace(view, note=str(error))
        return replace(view, pane=Pane.HINTS, top=1_000_000, hints=tuple(item.text for item in opened))

    def _solution(self, view: View) -> View:
        open_already = view.pane is Pane.SOLUTION or view.progress.of(view.seen.exercise.id).passed_at
        if open_already or self._asked("s"):
            return replace(view, pane=Pane.SOLUTION, top=0, lookback=look_back(view.seen.exercise, work_root()))
        return replace(view, note=labels()["watch.sure-solution"])

    def _reset(self, view: View) -> View:
        if not self._asked("r"):
            return replace(view, note=labels()["watch.sure-reset"])
        self._work.reset()
        return view

    def _choose(self, view: View) -> View:
        if view.pane is Pane.LIST:
            self._work.go(self._exercises[view.chosen])
        return view

    def _asked(self, key: str) -> bool:
        """Tell whether a key was pressed for the second time; else wait for that."""
        if not self._sure:
            self._confirming = key
        return self._sure

    def _move(self, view: View, lines: int) -> View:
        if view.pane is Pane.LIST:
            return replace(view, chosen=max(0, min(view.chosen + lines, len(self._exercises) - 1)))
        return replace(view, top=max(view.top + lines, 0))


def _turns(cause: Cause, pane: Pane) -> bool:
    """Tell whether a new verdict is shown in full: a saved file asks for that, another change not while reading."""
    return cause is Cause.SAVED or (cause is Cause.CHANGED and pane is Pane.TASK)
