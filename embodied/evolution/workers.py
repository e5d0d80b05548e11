"""Workers: processes that live lifetimes, one at a time each, on one thread each."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext
from typing import Any

from embodied.evolution.ledger import Outcome
from embodied.evolution.lifetimes import Order, live, prepare_process
from embodied.runs.errors import UserError, explain_os_error


@dataclass(frozen=True)
class Advanced:
    """A lifetime made progress."""

    lifetime: int
    steps: int
    reward: float | None


@dataclass(frozen=True)
class Finished:
    """A lifetime ended well."""

    lifetime: int
    outcome: Outcome


@dataclass(frozen=True)
class Failed:
    """A lifetime ended in an error, or its worker died."""

    lifetime: int
    error: str


Event = Advanced | Finished | Failed


class Workers:
    """A fixed number of processes. A worker that dies is replaced; its lifetime is reported as failed."""

    def __init__(self, count: int) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._workers = [_Worker(self._context) for _ in range(count)]

    @property
    def free(self) -> int:
        """How many workers have nothing to do."""
        return sum(worker.order is None for worker in self._workers)

    @property
    def busy(self) -> bool:
        """Whether any lifetime is being lived."""
        return self.free < len(self._workers)

    def submit(self, order: Order) -> None:
        """Gives a free worker a lifetime."""
        worker = next(worker for worker in self._workers if worker.order is None)
        if not worker.process.is_alive():
            worker.replace(self._context)
        worker.submit(order)

    def events(self) -> Iterator[Event]:
        """Waits until something happened, and yields all that did.

        Raises:
            UserError: a worker could not write; its lifetime is not at fault and stays as it was.
        """
        sources: dict[Any, _Worker] = {}
        for worker in self._workers:
            if worker.order is not None:
                sources[worker.connection] = worker
                sources[worker.process.sentinel] = worker
        ready = {id(sources[source]): sources[source] for source in wait(list(sources))}
        for worker in ready.values():
            yield from self._events_of(worker)

    def _events_of(self, worker: _Worker) -> Iterator[Event]:
        assert worker.order is not None
        lifetime = worker.order.id
        try:
            while worker.connection.poll():
                kind, *content = worker.connection.recv()
                if kind == "advanced":
                    yield Advanced(lifetime, *content)
                    continue
                worker.order = None
                if kind == "refused":
                    raise UserError(content[0])
                yield Finished(lifetime, content[0]) if kind == "finished" else Failed(lifetime, content[0])
                return
        except (EOFError, OSError):
            pass
        if not worker.process.is_alive():
            worker.process.join()
            code = worker.process.exitcode
            worker.replace(self._context)
            yield Failed(lifetime, f"its worker died ({_cause(code)})")

    def close(self) -> None:
        """Ends all workers, whatever they are doing."""
        for worker in self._workers:
            worker.end()


class _Worker:
    def __init__(self, context: SpawnContext) -> None:
        self.order: Order | None = None
        self.replace(context)

    def replace(self, context: SpawnContext) -> None:
        self.order = None
        self.connection, theirs = context.Pipe()
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        self.process = context.Process(target=_work, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()

    def submit(self, order: Order) -> None:
        self.order = order
        self.connection.send(order)

    def end(self) -> None:
        self.process.terminate()
        self.process.join()
        self.connection.close()


def _work(connection: Connection) -> None:
    """A worker's life: orders in, events out, until the driver is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what an interrupt means
    prepare_process()
    while True:
        try:
            order = connection.recv()
        except EOFError:
            return
        try:
            outcome = live(order, lambda steps, reward: connection.send(("advanced", steps, reward)))
            connection.send(("finished", outcome))
        except (BrokenPipeError, ConnectionResetError):
            return
        except OSError as error:
            connection.send(("refused", explain_os_error(error)))
        except Exception as error:
            connection.send(("failed", f"{type(error).__name__}: {error}"))


def _cause(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit status {code}"
