"""Evolution on a GPU: bodies of one topology learn there together, the others on CPU workers beside it.

Bodies are bred in batches, each from what has lived by then; those who find enough others of their topology in their
batch form a bucket. Nobody waits for a batch to end. As on the CPU, driver and workers may die at any moment: a bucket
goes on from its checkpoint, and its members end together in the ledger.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from embodied.evolution.bucket_lifetimes import BucketOrder, Ends, MemberFailed, harms, live_together
from embodied.evolution.buckets import FOLDER, Waiting, folder_of, interrupted_buckets, note
from embodied.evolution.evolve import Evolution, line_of, summary_of, write_best
from embodied.evolution.ledger import Birth, Failure, Outcome
from embodied.evolution.lifetimes import CHECKPOINTS, live
from embodied.evolution.workers import Advanced, Began, Failed, Finished, Interrupted, Lives, Reached, Workers
from embodied.physics.cpu import usable_cores
from embodied.runs.errors import UserError
from embodied.runs.progress import Progress
from morphologies import from_json, to_json

FOR_EVALUATION = 4
"""One core in so many is left to the device's worker, which judges its bodies on the CPU."""


class DeviceEvolution:
    """An evolution with a worker for a device."""

    def __init__(
        self, evolution: Evolution, progress: Progress, lives: Lives = live, device_lives: Lives = live_together
    ) -> None:
        """Starts the workers.

        Args:
            evolution: at any point.
            progress: is told what happens.
            lives, device_lives: what a lifetime, and what a bucket's is.
        """
        self.evolution, self._progress, self._config = evolution, progress, evolution.config
        cores = usable_cores()
        count = self._config.workers
        self._count = max(1, cores - max(1, cores // FOR_EVALUATION)) if count is None else count
        self._threads = max(1, cores - self._count)
        config = self._config
        self._waiting = Waiting(config.bucket_min, config.bucket_max, self._count > 0, self._topology_of)
        self._alive: dict[int, list[Birth]] = {}
        """By the number that the workers know them by: that of the first member."""
        self._alone: set[int] = set()
        """Who has to live without others: their bucket failed, or what they began was begun alone."""
        self._take_up()
        self._workers = Workers(
            self._count, patience=config.patience, memory=config.memory, lives=lives, device_lives=device_lives
        )

    def _take_up(self) -> None:
        """Those who were alive when the run was last stopped go on as they were."""
        births, self.evolution.interrupted = self.evolution.interrupted, []
        together = interrupted_buckets(self.evolution.folder, births)
        kept = {folder_of(self.evolution.folder, bucket) for bucket in together}
        for stray in self.evolution.folder.glob(f"{FOLDER}/*"):
            if stray not in kept:
                shutil.rmtree(stray, ignore_errors=True)
        self._waiting.buckets += together
        known = {birth.id for bucket in together for birth in bucket}
        rest = [birth for birth in births if birth.id not in known]
        self._alone |= {birth.id for birth in rest if (self.evolution.folder_of(birth) / CHECKPOINTS).exists()}
        self._waiting.add(rest)

    def _topology_of(self, birth: Birth) -> str | None:
        """None for a body that has to live alone, or whose limbs are in another order than its kind's."""
        toolbox, genome = self.evolution.toolbox, from_json(birth.genome)
        if birth.id in self._alone or to_json(toolbox.align(genome)) != birth.genome:
            return None
        return toolbox.topology(genome)

    def run(self) -> None:
        """To the end.

        Raises:
            UserError: every lifetime so far failed, or workers cannot work.
        """
        try:
            while not self.evolution.ended:
                self._feed()
                if not self._workers.busy:
                    raise UserError("every lifetime so far failed, so there is no parent; see the errors in the ledger")
                for event in self._workers.events():
                    self._take(event)
                self._progress.summary = summary_of(self.evolution)
        finally:
            self._workers.close()
        shutil.rmtree(self.evolution.folder / FOLDER, ignore_errors=True)

    def _feed(self) -> None:
        """Gives everybody who is free something to do, as long as there is something."""
        waiting = self._waiting
        while self._workers.device_free:
            bucket = waiting.bucket() or (self._breed() and waiting.bucket()) or waiting.single_as_bucket()
            if not bucket:
                break
            self._begin_bucket(bucket)
        while self._workers.free:
            single = waiting.single() or (self._breed() and waiting.single()) or waiting.single_of_bucket()
            if not single:
                break
            self._begin_single(single[0])

    def _breed(self) -> bool:
        """Breeds until somebody was born or nobody can be; not while as many as a batch wait already."""
        if len(self._waiting) >= self._config.batch:
            return False
        births = self.evolution.next_births()
        self._waiting.add(births)
        return bool(births)

    def _begin_bucket(self, bucket: list[Birth]) -> None:
        self.evolution.ledger.begin(*bucket)
        self._alive[bucket[0].id] = bucket
        self._workers.submit_to_device(
            BucketOrder(
                id=bucket[0].id,
                members=tuple(self.evolution.order(birth) for birth in bucket),
                device=self._config.device,
                threads=self._threads,
                folder=note(self.evolution.folder, bucket),
            )
        )

    def _begin_single(self, birth: Birth) -> None:
        self.evolution.ledger.begin(birth)
        self._alive[birth.id] = [birth]
        self._workers.submit(self.evolution.order(birth))

    def _take(self, event: object) -> None:
        progress = self._progress
        match event:
            case Began(first, steps):
                births = self._alive[first]
                progress.begin(first, self._name(births), self._config.steps * len(births), steps)
            case Advanced(first, steps, reward):
                progress.advance(first, steps, reward)
            case Reached(first, rung, steps, value):
                self._workers.answer(first, self.evolution.reach(first, rung, steps, value))
            case Interrupted(first, cause):
                progress.say(f"{self._name(self._alive[first])}: the worker was killed ({cause}); another goes on")
            case Finished(first, found):
                births = self._alive.pop(first)
                self._end(births, found if isinstance(found, list) else [found])
            case Failed(first, failure, error, steps):
                self._fail(self._alive.pop(first), failure, error, steps)

    def _name(self, births: Sequence[Birth]) -> str:
        return f"lifetime {births[0].id}" if len(births) == 1 else f"bucket {births[0].id} of {len(births)}"

    def _end(self, births: Sequence[Birth], found: Ends) -> None:
        """All of a bucket, or a single body, came to their ends."""
        ends: list[tuple[Birth, Outcome | Failure]] = [
            (birth, Failure("error", end.error, end.steps) if isinstance(end, MemberFailed) else end)
            for birth, end in zip(births, found, strict=True)
        ]
        self.evolution.end(ends)
        shutil.rmtree(folder_of(self.evolution.folder, births), ignore_errors=True)
        for number, (birth, end) in enumerate(ends):
            told = f"lifetime {birth.id} failed: {end.error}" if isinstance(end, Failure) else None
            line = told or line_of(self.evolution, birth, end, len(ends) - 1 - number)  # type: ignore[arg-type]
            if number:
                self._progress.say(line)
            else:
                self._progress.end(birth.id, line)
        if warned := harms(found):
            told = f"the physics warned, in worlds x control steps: {warned}; see docs/gpu.md"
            self._progress.say(f"{self._name(births)}: {told}")
        write_best(self.evolution)

    def _fail(self, births: list[Birth], failure: str, error: str, steps: int) -> None:
        """A body's lifetime failed. Of a bucket nobody knows whose fault it was: each member lives once more, alone."""
        name = self._name(births)
        shutil.rmtree(folder_of(self.evolution.folder, births), ignore_errors=True)
        if len(births) == 1:
            self.evolution.fail(births[0], failure, error, steps)
            self._progress.end(births[0].id, f"{name} failed: {error}")
            return
        self._progress.end(births[0].id, f"{name} failed: {error}; each of its bodies begins anew, alone")
        self._alone |= {birth.id for birth in births}
        self._waiting.add(births)
