"""Workers: processes that live lifetimes, one at a time each, on one thread each; one may live buckets on a device.

A worker that is killed is replaced and its lifetime goes on from its latest checkpoint. One that crashes, hangs, uses
too much memory, or is killed again and again without getting anywhere, is a failure of its lifetime.
"""

from __future__ import annotations

import ctypes
import gc
import math
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext
from pathlib import Path
from typing import Any

from embodied.evolution.lifetimes import Line, live, prepare_process
from embodied.runs.errors import UserError, explain_os_error

LOOK_EVERY = 2.0
"""Seconds between two looks at whether a worker hangs or grows."""
REPORT_EVERY = 2.0
"""Seconds between two messages about a lifetime's progress; each costs the driver some tenths of a millisecond."""
KILLS = 5
"""How often a lifetime's worker may be killed without a new checkpoint before its body is blamed."""
OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Signals that come from somebody else; the others are a crash."""


@dataclass(frozen=True)
class Began:
    """A lifetime begins, or goes on."""

    lifetime: int
    steps: int


@dataclass(frozen=True)
class Advanced:
    """A lifetime made progress."""

    lifetime: int
    steps: int
    reward: float | None


@dataclass(frozen=True)
class Reached:
    """A lifetime reached a rung and waits for `Workers.answer`."""

    lifetime: int
    rung: int
    steps: int
    value: float | None


@dataclass(frozen=True)
class Interrupted:
    """A lifetime's worker was killed; another goes on with it."""

    lifetime: int
    cause: str


@dataclass(frozen=True)
class Finished:
    """A lifetime ended well."""

    lifetime: int
    outcome: Any
    """What it gave: of `live`, an Outcome."""


@dataclass(frozen=True)
class Failed:
    """A lifetime ended in failure."""

    lifetime: int
    failure: str
    """``error``, ``died``, ``hung`` or ``memory``."""
    error: str
    steps: int
    """Environment steps that it had made."""


Lives = Callable[[Any, Line], Any]
"""Of an order, such as `Order`, to what came of it."""
Event = Began | Advanced | Reached | Interrupted | Finished | Failed


class Workers:
    """A fixed number of processes."""

    def __init__(
        self,
        count: int,
        patience: float = 300.0,
        memory: float | None = None,
        lives: Lives = live,
        device_lives: Lives | None = None,
    ) -> None:
        """Starts them.

        Args:
            count: of processes.
            patience: seconds without a sign of life after which a worker counts as hanging.
            memory: GiB that one may use; by default a share of nine tenths of the machine's.
            lives: what a lifetime is; a function that another process can import.
            device_lives: what it is on a device, for which there is then one process more, with three times the
                patience: the first lifetime there may have to wait for kernels to be compiled.
        """
        self._context = multiprocessing.get_context("spawn")
        whole = 0.9 * machine_memory()
        share = whole / max(count, 1) if device_lives is None else whole / 2 / max(count, 1)
        self._workers = [
            _Worker(self._context, lives, patience, 2**30 * memory if memory else share) for _ in range(count)
        ]
        self._on_device: _Worker | None = None
        if device_lives is not None:
            self._on_device = _Worker(
                self._context, device_lives, 3 * patience, 2**30 * memory if memory else whole / 2
            )
            self._workers.append(self._on_device)
        self._looked = time.monotonic()

    @property
    def free(self) -> int:
        """How many workers have nothing to do, that of the device aside."""
        return sum(worker.order is None for worker in self._workers if worker is not self._on_device)

    @property
    def device_free(self) -> bool:
        """Whether there is a worker for a device, and it has nothing to do."""
        return self._on_device is not None and self._on_device.order is None

    @property
    def busy(self) -> bool:
        """Whether any lifetime is being lived."""
        return any(worker.order is not None for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        """Of the processes."""
        return [worker.process.pid or 0 for worker in self._workers]

    def submit(self, order: Any) -> None:
        """Gives a free worker a lifetime: its ``lives`` must know what to do with such an order."""
        self._give(next(w for w in self._workers if w.order is None and w is not self._on_device), order)

    def submit_to_device(self, order: Any) -> None:
        """The same for the worker of the device."""
        assert self._on_device is not None
        self._give(self._on_device, order)

    def _give(self, worker: _Worker, order: Any) -> None:
        if not worker.process.is_alive():
            worker.replace(self._context)
        worker.submit(order)

    def answer(self, lifetime: int, goes_on: bool) -> None:
        """Tells a lifetime that reached a rung whether it goes on."""
        worker = next(w for w in self._workers if w.order is not None and w.order.id == lifetime)
        with suppress(OSError):  # it has died; that is seen at the next look
            worker.connection.send(goes_on)

    def events(self) -> Iterator[Event]:
        """Waits until something happened, and yields all that did; now and then nothing did.

        Raises:
            UserError: a worker could not start or could not write; its lifetime is not at fault and stays as it was.
        """
        sources: dict[Any, _Worker] = {}
        for worker in self._workers:
            if worker.order is not None:
                sources[worker.connection] = worker
                sources[worker.process.sentinel] = worker
        ready = {id(sources[source]): sources[source] for source in wait(list(sources), LOOK_EVERY)}
        for worker in ready.values():
            yield from self._events_of(worker)
        if time.monotonic() - self._looked >= LOOK_EVERY:
            yield from self._look()

    def _look(self) -> Iterator[Failed]:
        now = time.monotonic()
        if now - self._looked > 10 * LOOK_EVERY + 1:  # the driver itself stood still, and so did everybody
            for worker in self._workers:
                worker.heard = now
        self._looked = now
        for worker in self._workers:
            if worker.order is None:
                continue
            used = resident_memory(worker.process.pid)
            if used > worker.memory:
                told = f"its worker used {used / 2**30:.1f} GiB of the {worker.memory / 2**30:.1f} it may use"
                yield self._give_up(worker, "memory", told)
            elif now - worker.heard > worker.patience:
                yield self._give_up(worker, "hung", f"its worker gave no sign of life for {worker.patience:.0f} s")

    def _give_up(self, worker: _Worker, failure: str, error: str) -> Failed:
        assert worker.order is not None
        failed = Failed(worker.order.id, failure, error, worker.steps)
        worker.process.kill()
        worker.process.join()
        worker.replace(self._context)
        return failed

    def _events_of(self, worker: _Worker) -> Iterator[Event]:
        assert worker.order is not None
        lifetime = worker.order.id
        with suppress(EOFError, OSError):
            while worker.connection.poll():
                kind, *content = worker.connection.recv()
                worker.heard = time.monotonic()
                match kind:
                    case "ready":
                        worker.ready = True
                    case "began":
                        worker.steps = content[0]
                        yield Began(lifetime, *content)
                    case "advanced":
                        worker.steps = content[0]
                        yield Advanced(lifetime, *content)
                    case "saved":
                        worker.kills = 0
                    case "reached":
                        yield Reached(lifetime, *content)
                    case "refused":
                        worker.order = None
                        raise UserError(content[0])
                    case "finished":
                        worker.order = None
                        yield Finished(lifetime, content[0])
                        return
                    case _:
                        failure, error = content
                        if worker is self._on_device:  # after an error on a GPU its process may never again use it
                            yield self._give_up(worker, failure, error)
                        else:
                            worker.order = None
                            yield Failed(lifetime, failure, error, worker.steps)
                        return
        if not worker.process.is_alive():
            worker.process.join()
            yield self._after_death(worker)

    def _after_death(self, worker: _Worker) -> Event:
        assert worker.order is not None
        order, code, steps = worker.order, worker.process.exitcode, worker.steps
        cause, kills = _cause(code), worker.kills + 1
        if not worker.ready and (code is None or code >= 0):
            raise UserError(
                f"a worker could not start ({cause}); what it said stands above. A script that evolves has to do so "
                'below `if __name__ == "__main__":`, because workers import it'
            )
        worker.replace(self._context)
        if code is None or -code not in OUTSIDE:
            return Failed(order.id, "died", f"its worker died ({cause})", steps)
        if kills >= KILLS:
            told = f"its worker was killed {kills} times without a new checkpoint ({cause}): out of memory?"
            return Failed(order.id, "died", told, steps)
        worker.submit(order)
        worker.kills = kills
        return Interrupted(order.id, cause)

    def close(self) -> None:
        """Ends all workers, whatever they are doing."""
        for worker in self._workers:
            worker.end()


class _Worker:
    def __init__(self, context: SpawnContext, lives: Lives, patience: float, memory: float) -> None:
        self._lives = lives
        self.patience, self.memory = patience, memory
        self.replace(context)

    def replace(self, context: SpawnContext) -> None:
        self.order: Any = None
        self.ready = False
        self.connection, theirs = context.Pipe()
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        self.process = context.Process(target=_work, args=(theirs, self._lives), daemon=True)
        self.process.start()
        theirs.close()

    def submit(self, order: Any) -> None:
        self.order = order
        self.kills = 0
        self.steps = 0
        self.heard = time.monotonic()
        with suppress(OSError):  # it has just died; that is seen at the next look
            self.connection.send(order)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


class _Wire:
    """The line of a lifetime over a pipe."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._reported = -math.inf

    def began(self, steps: int) -> None:
        self._connection.send(("began", steps))

    def advanced(self, steps: int, reward: float | None) -> None:
        if time.monotonic() - self._reported >= REPORT_EVERY:
            self._connection.send(("advanced", steps, reward))
            self._reported = time.monotonic()

    def saved(self, steps: int) -> None:
        self._connection.send(("saved", steps))

    def goes_on(self, rung: int, steps: int, value: float | None) -> bool:
        self._connection.send(("reached", rung, steps, value))
        return self._connection.recv()


def _work(connection: Connection, lives: Lives) -> None:
    """A worker's life: orders in, events out, until the driver is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what an interrupt means
    _die_with_the_driver()
    prepare_process()
    with suppress(BrokenPipeError):
        connection.send(("ready",))
    while True:
        try:
            order = connection.recv()
        except (EOFError, ConnectionResetError):
            return
        try:
            outcome = lives(order, _Wire(connection))
            connection.send(("finished", outcome))
        except (BrokenPipeError, ConnectionResetError, EOFError):
            return
        except MemoryError as error:
            connection.send(("failed", "memory", f"its worker found no more memory: {error}"))
        except (OSError, UserError) as error:
            told = explain_os_error(error) if isinstance(error, OSError) else str(error)
            connection.send(("refused", told))
        except Exception as error:
            connection.send(("failed", "error", f"{type(error).__name__}: {error}"))
        _give_memory_back()


def _give_memory_back() -> None:
    """A lifetime on terrain needs hundreds of megabytes, which the C library would keep for itself."""
    gc.collect()
    with suppress(OSError, AttributeError):  # of glibc alone
        ctypes.CDLL(None).malloc_trim(0)


def _die_with_the_driver() -> None:
    """Two drivers must never have workers in one folder; and if memory runs out a worker goes before the driver."""
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))  # PR_SET_PDEATHSIG
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def resident_memory(pid: int | None) -> int:
    """Bytes that a process has in memory; 0 where that cannot be told."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def machine_memory() -> float:
    """Bytes that this process and its children may use: the machine's, or less in a container."""
    total = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            total = min(total, float(Path(limit).read_text()))
    return total


def _cause(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit status {code}"
