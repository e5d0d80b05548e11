"""Transfer: the bodies of one or several evolutions learn other tasks on workers; first it says how long that takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from embodied.evolution.ledger import Outcome
from embodied.evolution.lifetimes import Order
from embodied.evolution.transfer.bodies import choose, read_bodies, read_evolution, write_bodies
from embodied.evolution.transfer.configuration import TransferConfig
from embodied.evolution.transfer.estimate import Rate, learn, probe_of, rate_of, seconds_in_all, seconds_left
from embodied.evolution.transfer.trainings import FAILURE, Training, training_folder
from embodied.evolution.workers import Advanced, Began, Failed, Finished, Interrupted, Lives, Workers
from embodied.physics.cpu import usable_cores
from embodied.runs.errors import UserError
from embodied.runs.progress import Progress, duration


class Transfer:
    """The bodies of one evolution and their trainings. All of its state is in its folder."""

    def __init__(self, run: Path, folder: Path, config: TransferConfig) -> None:
        """Chooses bodies, or takes up those that were chosen before.

        Args:
            run: the evolution's folder.
            folder: the transfer's.
            config: of the transfer.

        Raises:
            UserError: no evolution with bodies to take, or another one than the folder was begun with.
        """
        self.run, self.folder, self.config = run, folder, config
        self.source, rows = read_evolution(run)
        kept = read_bodies(folder)
        if kept is None:
            self.bodies = choose(self.source, rows, config.top, config.initial)
            write_bodies(folder, self.source, self.bodies)
        else:
            self.source, self.bodies = kept
            there = {row["id"]: row["fingerprint"] for row in rows}
            if strange := [body for body in self.bodies if there.get(body.lifetime) != body.fingerprint]:
                raise UserError(
                    f"{folder} was begun with the bodies of another evolution than {run}, whose lifetime "
                    f"{strange[0].lifetime} is another body; choose another --out"
                )
        self.trainings = [
            Training(task, body, training_folder(folder, task, body.lifetime))
            for body in self.bodies
            for task in config.tasks
        ]

    @property
    def scarce(self) -> str:
        """A sentence where the evolution has fewer bodies than were asked for; empty where it has enough."""
        best = sum(body.rank is not None for body in self.bodies)
        if best >= self.config.top:
            return ""
        there = "one body" if best == 1 else f"{best} different bodies"
        return f"{self.run} has {there}, not {self.config.top}: all there are are taken."

    @property
    def left(self) -> list[Training]:
        """What has not ended."""
        return [training for training in self.trainings if not training.ended]


def transfer(transfers: Sequence[Transfer], progress: Progress, lives: Lives = learn) -> None:
    """Runs all trainings to their ends; ``lives`` is what one is. All transfers are configured alike.

    Raises:
        UserError: every training of an evolution's bodies failed.
    """
    config, left = transfers[0].config, _left(transfers)
    if left:
        count = min(config.workers or usable_cores(), len(left))
        workers = Workers(count, patience=config.patience, memory=config.memory, lives=lives)
        try:
            rates = _measure(left, config, workers, progress)
            if left := _left(transfers):
                progress.say(_announced(left, config, rates, count))
                _train(left, config, workers, progress)
        finally:
            workers.close()
    for each in transfers:
        if all(training.failed for training in each.trainings):
            raise UserError(f"every training of {each.folder} failed; what went wrong is in the files {FAILURE} there")


def _left(transfers: Sequence[Transfer]) -> list[Training]:
    return [training for each in transfers for training in each.left]


def _measure(left: Sequence[Training], config: TransferConfig, workers: Workers, progress: Progress) -> dict[str, Rate]:
    """The beginnings of one training of each task; returns how fast each task runs."""
    first: dict[str, Training] = {}
    for training in left:
        first.setdefault(training.task, training)
    tasks = "one task" if len(first) == 1 else f"{len(first)} tasks"
    progress.say(f"Measuring how fast {tasks} run{'s' if len(first) == 1 else ''}; what is learned meanwhile counts")
    orders = [probe_of(training.order(number, config)) for number, training in enumerate(first.values())]
    rates: dict[str, Rate] = {}

    def ended(training: Training, order: Order, found: Rate | Outcome) -> str:
        if isinstance(found, Rate):
            rates[training.task] = found
            return f"  {training.task}: {order.worlds * order.ppo.rollout_steps / found.iteration:,.0f} steps/s"
        rates[training.task] = rate_of(found, order)
        return _finished(training, found)

    _run(orders, list(first.values()), workers, progress, ended)
    return rates


def _announced(left: Sequence[Training], config: TransferConfig, rates: dict[str, Rate], workers: int) -> str:
    """``24 trainings of 1,000,000 steps, about 1 h 50 m on 2 workers``."""
    each = []
    slowest = max(rates.values(), key=lambda rate: rate.iteration, default=None)
    for training in left:
        rate = rates.get(training.task, slowest)  # a task whose first training failed counts as the slowest
        if rate is not None:
            each.append(seconds_left(training.order(0, config), training.steps, rate))
    trainings = "1 training" if len(left) == 1 else f"{len(left)} trainings"
    on = "1 worker" if workers == 1 else f"{workers} workers"
    time = f"about {duration(seconds_in_all(each, workers))}" if each else "for nobody knows how long"
    return f"{trainings} of {config.steps:,} steps, {time} on {on}"


def _train(left: Sequence[Training], config: TransferConfig, workers: Workers, progress: Progress) -> None:
    ended = 0

    def end(training: Training, _: Order, outcome: Outcome | Rate) -> str:
        nonlocal ended
        assert isinstance(outcome, Outcome), "only probes give rates"
        ended += 1
        return f"[{ended}/{len(left)}] {_finished(training, outcome)}"

    _run([training.order(n, config) for n, training in enumerate(left)], left, workers, progress, end)


def _finished(training: Training, outcome: Outcome) -> str:
    training.finish(outcome)
    return (
        f"{training.name}: fitness {outcome.fitness:,.1f} ± {outcome.fitness_std:,.1f}, "
        f"{outcome.environment_steps / outcome.wall_seconds:,.0f} steps/s"
    )


def _run(
    orders: Sequence[Order],
    trainings: Sequence[Training],
    workers: Workers,
    progress: Progress,
    end: Callable[[Training, Order, Outcome | Rate], str],
) -> None:
    """Has all orders lived; ``end`` takes what each gave, and says a line about it."""
    waiting = list(range(len(orders)))
    while waiting or workers.busy:
        while waiting and workers.free:
            workers.submit(orders[waiting.pop(0)])
        for event in workers.events():
            number = event.lifetime
            training = trainings[number]
            match event:
                case Began(_, steps):
                    progress.begin(number, training.name, orders[number].steps, steps)
                case Advanced(_, steps, reward):
                    progress.advance(number, steps, reward)
                case Interrupted(_, cause):
                    progress.say(f"{training.name}: its worker was killed ({cause}); another goes on with it")
                case Finished(_, found):
                    progress.end(number, end(training, orders[number], found))
                case Failed(_, failure, error, steps):
                    training.fail(failure, error, steps)
                    progress.end(number, f"{training.name} failed: {error}")
