"""Transfer: who is taken, what trainings draw, what is measured first, and what is left of a driver that was killed."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

from embodied.evolution.ledger import Ledger
from embodied.evolution.lifetimes import live
from embodied.evolution.transfer.bodies import Source, choose, read_bodies
from embodied.evolution.transfer.configuration import TransferConfig, refuse_impossible
from embodied.evolution.transfer.estimate import Probe, Rate, learn, probe_of, seconds_in_all, seconds_left
from embodied.evolution.transfer.trainings import read_end
from embodied.evolution.transfer.transfer import Transfer, transfer
from embodied.learning.ppo import PPOConfig
from embodied.runs.errors import UserError
from embodied.runs.progress import Progress
from tests.report.synthetic import genome, write_run

TINY = TransferConfig(
    top=2,
    initial=1,
    tasks=("flat", "patrol"),
    steps=1024,
    worlds=8,
    episodes=2,
    workers=1,
    ppo=PPOConfig(rollout_steps=16, minibatch=64, epochs=1),
)
LIVES = [
    {"fitness": 5.0, "fingerprint": "0a"},
    {"fitness": 1.0, "fingerprint": "0b"},
    {"fitness": 9.0, "fingerprint": "0c", "parent": 0, "operator": "grow_limb"},
    {"fitness": 9.0, "fingerprint": "0a", "parent": 0, "operator": "grow_limb", "genome": genome(0)},
    {"status": "failed"},
    {"fitness": 7.0, "fingerprint": "0d", "parent": 2, "operator": "grow_limb"},
    {"status": "running"},
]


@pytest.fixture
def evolution(tmp_path):
    return write_run(tmp_path / "evolution", LIVES, population=2, seed=4)


def rows_of(run):
    ledger = Ledger(run / "ledger.sqlite", readonly=True)
    rows = ledger.lifetimes("finished")
    ledger.close()
    return rows


def run(transfers, lives=learn):
    with Progress("test") as progress:
        transfer(transfers, progress, lives)


def test_the_best_bodies_are_taken_each_genome_once_and_with_them_the_best_initial_ones(evolution):
    source = Source("flat", "tournament", 4, 2, 5)
    found = choose(source, rows_of(evolution), top=3, initial=2)
    assert [(body.lifetime, body.rank, body.initial_rank) for body in found] == [
        (2, 0, None),
        (3, 1, 0),  # the body of lifetime 0, which was born first and did worse
        (5, 2, None),
        (1, None, 1),
    ]
    everybody = choose(source, rows_of(evolution), top=100, initial=0)
    assert [body.lifetime for body in everybody] == [2, 3, 5, 1]


def test_what_was_chosen_stays_though_the_evolution_goes_on(evolution, tmp_path):
    (tmp_path / "transfer").mkdir()
    first = Transfer(evolution, tmp_path / "transfer", TINY)
    ledger = Ledger(evolution / "ledger.sqlite")
    ledger._db.execute("UPDATE lifetimes SET fitness = 1000 WHERE id = 1")
    ledger.close()
    again = Transfer(evolution, tmp_path / "transfer", TINY)
    assert again.bodies == first.bodies == read_bodies(tmp_path / "transfer")[1]
    other = write_run(tmp_path / "other", [{"fingerprint": "ff"}] * 4, seed=4)
    with pytest.raises(UserError, match="of another evolution"):
        Transfer(other, tmp_path / "transfer", TINY)


def test_what_a_training_draws_depends_on_its_task_and_body_alone(evolution, tmp_path):
    def seeds(folder, **changes):
        (tmp_path / folder).mkdir()
        made = Transfer(evolution, tmp_path / folder, dataclasses.replace(TINY, **changes))
        orders = [(t.task, t.body.fingerprint, t.order(0, made.config)) for t in made.trainings]
        return {(task, name): (order.seed, order.evaluation_seed) for task, name, order in orders}

    few, many = seeds("few"), seeds("many", top=4, tasks=("escape", "patrol", "flat"))
    assert few.items() <= many.items()
    assert len({seed for seed, _ in many.values()}) == len(many) == 12
    assert len({seed for _, seed in many.values()}) == 1, "all are evaluated on the same episodes"
    assert not few.items() & seeds("another", seed=1).items()


@pytest.mark.parametrize(
    ("each", "workers", "expected"),
    [([], 2, 0.0), ([3.0, 1.0, 1.0, 1.0], 1, 6.0), ([3.0, 1.0, 1.0, 1.0], 2, 3.0), ([1.0, 1.0, 5.0], 2, 6.0)],
)
def test_time_on_several_workers_is_that_of_the_busiest(each, workers, expected):
    assert seconds_in_all(each, workers) == expected


def test_time_left_counts_steps_still_to_make_and_the_evaluation(evolution, tmp_path):
    (tmp_path / "transfer").mkdir()
    order = Transfer(evolution, tmp_path / "transfer", TINY).trainings[0].order(0, TINY)
    rate = Rate(starting=2.0, iteration=0.5)  # of 128 steps
    evaluation = (2 * 1000 + 2 * 16 * 250) / 128 * 0.5
    assert seconds_left(order, 0, rate) == pytest.approx(3 * 2.0 + 1024 / 128 * 0.5 + evaluation)
    assert seconds_left(order, 512, rate) == pytest.approx(3 * 2.0 + 512 / 128 * 0.5 + evaluation)


class Silent:
    def began(self, steps): ...
    def advanced(self, steps, reward): ...
    def saved(self, steps): ...
    def goes_on(self, rung, steps, value): ...


def test_what_was_learned_while_it_was_measured_counts_bit_for_bit(evolution, tmp_path):
    (tmp_path / "transfer").mkdir()
    order = Transfer(evolution, tmp_path / "transfer", TINY).trainings[1].order(0, TINY)
    measured, whole = (dataclasses.replace(order, folder=tmp_path / name) for name in ("measured", "whole"))
    rate = learn(probe_of(measured), Silent())
    assert isinstance(rate, Rate)
    assert rate.iteration > 0
    assert sorted(path.name for path in (tmp_path / "measured" / "checkpoints").iterdir())[-1] == "000000000384"
    one, two = learn(measured, Silent()), live(whole, Silent())
    assert (one.fitness, one.curve, one.measures) == (two.fitness, two.curve, two.measures)
    assert (one.stints, two.stints) == (2, 1)
    weights = [load_file(tmp_path / name / "policy.safetensors") for name in ("measured", "whole")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0] | weights[1])


def unlucky(order, line):
    """Patrol breaks, flat is lived."""
    if order.task == "patrol":
        raise ArithmeticError("exploded")
    return learn(order, line)


def hopeless(order, line):
    """Nothing is lived."""
    raise ArithmeticError("exploded")


def test_a_failed_training_is_recorded_and_the_others_go_on(evolution, tmp_path, capsys):
    folder = tmp_path / "transfer"
    folder.mkdir()
    config = dataclasses.replace(TINY, top=1, initial=0)
    run([Transfer(evolution, folder, config)], unlucky)
    outcome, failure = read_end(folder / "flat" / "000002")
    assert failure is None
    assert outcome["measures"]["metric/distance"] == pytest.approx(outcome["measures"]["distance"], abs=0.3)
    assert not (folder / "flat" / "000002" / "checkpoints").exists()
    assert read_end(folder / "patrol" / "000002") == (
        None,
        {"failure": "error", "error": "ArithmeticError: exploded", "steps": 0},
    )
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    run([Transfer(evolution, folder, config)], hopeless)  # nothing is left to live
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert "1 training of 1,024 steps, about" in capsys.readouterr().out


def test_a_transfer_in_which_all_fail_says_so(evolution, tmp_path):
    (tmp_path / "transfer").mkdir()
    with pytest.raises(UserError, match=r"every training .* failed"):
        run([Transfer(evolution, tmp_path / "transfer", dataclasses.replace(TINY, top=1, initial=0))], hopeless)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"top": 0}, "--top"),
        ({"initial": -1}, "--initial"),
        ({"tasks": ()}, "--tasks"),
        ({"tasks": ("flat", "flat")}, "--tasks"),
        ({"device": "cuda"}, "cuda"),
        ({"patience": 1.0}, "--patience"),
        ({"memory": 0.1}, "--memory"),
        ({"steps": 100}, "learn nothing"),
        ({"workers": 0}, "--workers"),
    ],
)
def test_impossible_configurations_are_refused_by_name(change, says):
    with pytest.raises(UserError, match=says):
        refuse_impossible(dataclasses.replace(TINY, **change))


def test_probes_are_orders_that_stand_for_the_same_training(evolution, tmp_path):
    (tmp_path / "transfer").mkdir()
    order = Transfer(evolution, tmp_path / "transfer", TINY).trainings[0].order(7, TINY)
    probe = probe_of(order)
    assert isinstance(probe, Probe)
    same = {**dataclasses.asdict(order), "checkpoint_seconds": 0.0}
    assert dataclasses.asdict(probe) == same


@pytest.mark.slow
def test_killed_at_any_moment_and_resumed_it_gives_what_one_never_killed_gives(evolution, tmp_path):
    command = [
        *(sys.executable, "-m", "embodied", "transfer", str(evolution), "--top", "1", "--tasks", "flat", "patrol"),
        *("--initial", "0", "--steps", "2560", "--worlds", "8", "--episodes", "16", "--workers", "2", "--resume"),
        *("--checkpoint-seconds", "0", "--ppo.rollout-steps", "16", "--ppo.minibatch", "64", "--ppo.epochs", "1"),
    ]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run([*command, "--out", str(whole)], check=True, capture_output=True)
    for steps in (128, 1000):  # while it is measured, and later
        process = subprocess.Popen(
            [*command, "--out", str(killed)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )
        while process.poll() is None and _progress(killed) < steps:
            time.sleep(0.005)
        assert process.poll() is None, process.communicate()[1].decode()
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    subprocess.run([*command, "--out", str(killed)], check=True, capture_output=True)
    for task in ("flat", "patrol"):
        folders = [each / task / "000002" for each in (whole, killed)]
        one, two = (json.loads((folder / "outcome.json").read_text()) for folder in folders)
        times = {"wall_seconds", "cpu_seconds", "stints"}
        assert {k: v for k, v in one.items() if k not in times} == {k: v for k, v in two.items() if k not in times}
        weights = [load_file(folder / "policy.safetensors") for folder in folders]
        assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0] | weights[1])


def _progress(folder):
    return max((int(path.name) for path in folder.glob("*/*/checkpoints/[0-9]*") if path.name.isdigit()), default=0)
