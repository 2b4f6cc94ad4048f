"""The scheduler of the embedded cluster in one place: tasks and clock, what they wait for, and byte streams."""

from __future__ import annotations

from grader.embedded.core.stream import Address, ConnectionReset_, DatagramHandler, Handler, Stream, pair
from grader.embedded.core.tasks import Cancelled, Clock, Kernel, Task, Timer, VirtualClock, current_task, suspend, turn
from grader.embedded.core.waiting import Event, Lock, Queue, TimeoutError_, drive, pass_time, sleep, with_timeout

__all__ = [
    "Address",
    "Cancelled",
    "Clock",
    "ConnectionReset_",
    "DatagramHandler",
    "Event",
    "Handler",
    "Kernel",
    "Lock",
    "Queue",
    "Stream",
    "Task",
    "TimeoutError_",
    "Timer",
    "VirtualClock",
    "current_task",
    "drive",
    "pair",
    "pass_time",
    "sleep",
    "suspend",
    "turn",
    "with_timeout",
]
