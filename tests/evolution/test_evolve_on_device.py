"""The driver of an evolution on a device, with lifetimes that take no time; and one evolution with real ones."""

import collections
import dataclasses
import json
import re
import subprocess
import sys

import pytest

pytest.importorskip("mujoco_warp", reason="needs the extra gpu")

from embodied.evolution import evolve as evolve_module
from embodied.evolution import evolve_on_device
from embodied.evolution.bucket_lifetimes import HARMLESS, BucketOrder
from embodied.evolution.evolve import Evolution, evolve
from embodied.evolution.evolve_on_device import DeviceEvolution
from embodied.evolution.ledger import Ledger
from embodied.evolution.workers import Failed, Finished, Workers
from embodied.physics.gpu_health import HARMFUL, NAMES
from embodied.runs.errors import UserError
from embodied.runs.progress import Progress
from morphologies import from_json
from morphologies.topology import topology
from tests.evolution import quick_lives
from tests.evolution.at_once import AtOnce
from tests.evolution.ledger_check import check_ledger
from tests.evolution.short import SMALL
from tests.evolution.test_workers import next_of

ON_DEVICE = dataclasses.replace(
    SMALL, device="warp-cpu", lifetimes=40, population=10, batch=15, brood=5, bucket_max=4, workers=1
)


@pytest.fixture
def at_once(monkeypatch):
    """No processes."""
    for driver in (evolve_on_device, evolve_module):
        monkeypatch.setattr(driver, "Workers", AtOnce)


def run(folder, config=ON_DEVICE, device_lives=quick_lives.live_together):
    folder.mkdir(exist_ok=True)
    evolution = Evolution(config, folder)
    with Progress("test") as progress:
        DeviceEvolution(evolution, progress, quick_lives.live, device_lives).run()
    rows = evolution.ledger.lifetimes()
    evolution.ledger.close()
    return rows


def where(folder, rows):
    return {row["id"]: (folder / "lifetimes" / f"{row['id']:06d}" / "where").read_text() for row in rows}


def test_kin_learn_together_on_the_device_and_others_on_the_cpu(tmp_path, at_once):
    rows = run(tmp_path)
    assert [row["status"] for row in rows] == ["finished"] * 40
    assert sorted(row["finish_order"] for row in rows) == list(range(40))
    buckets = collections.defaultdict(list)
    for number, place in where(tmp_path, rows).items():
        if place != "cpu":
            buckets[place].append(rows[number])
    sizes = collections.Counter(len(members) for members in buckets.values())
    assert max(sizes) == 4
    assert sum(size * count for size, count in sizes.items()) < 40
    for members in buckets.values():
        assert len({topology(from_json(row["genome"])) for row in members}) == 1
        orders = [row["finish_order"] for row in members]
        assert orders == list(range(orders[0], orders[0] + len(orders)))  # they ended in one transaction
    assert all(row["generation"] == 0 for row in rows[:10])
    assert all(row["parent"] is not None and row["parent"] < row["id"] for row in rows[10:])
    assert not (tmp_path / "buckets").exists()


def test_without_cpu_workers_everybody_lives_on_the_device_the_same_each_time(tmp_path, at_once):
    config = dataclasses.replace(ON_DEVICE, workers=0)
    one, two = (run(tmp_path / name, config) for name in "ab")
    columns = ("parent", "operator", "genome", "seed", "finish_order", "fitness")
    assert [[row[name] for name in columns] for row in one] == [[row[name] for name in columns] for row in two]
    assert "cpu" not in where(tmp_path / "a", one).values()


def test_a_members_failure_is_its_own(tmp_path, at_once):
    rows = run(tmp_path, dataclasses.replace(ON_DEVICE, lifetimes=25), quick_lives.last_member_fails)
    failed = [row for row in rows if row["status"] == "failed"]
    assert failed
    assert {(row["failure"], row["environment_steps"]) for row in failed} == {("error", 128)}
    assert len(failed) + sum(row["status"] == "finished" for row in rows) == 25
    assert not {row["parent"] for row in rows} & {row["id"] for row in failed}


def test_bodies_of_a_bucket_that_fails_live_once_more_each_alone(tmp_path, at_once):
    rows = run(tmp_path, dataclasses.replace(ON_DEVICE, lifetimes=25), quick_lives.buckets_crash)
    assert [row["status"] for row in rows] == ["finished"] * 25
    places = collections.Counter(place for place in where(tmp_path, rows).values() if place != "cpu")
    assert set(places.values()) <= {1}


def test_a_stopped_evolution_takes_up_its_buckets_and_counts_nobody_twice(tmp_path, at_once):
    evolution = Evolution(dataclasses.replace(ON_DEVICE, workers=0), tmp_path)
    with Progress("test") as progress:
        driver = DeviceEvolution(evolution, progress, quick_lives.live, quick_lives.live_together)
        try:
            while len(evolution.lived) < 13:
                driver._feed()
                for event in driver._workers.events():
                    driver._take(event)
            driver._feed()  # a bucket has begun, others wait
        finally:
            driver._workers.close()
    begun = [json.loads(path.read_text()) for path in tmp_path.glob("buckets/*/members.json")]
    evolution.ledger.close()
    assert len(begun) == 1
    before = Evolution(dataclasses.replace(ON_DEVICE, workers=0), tmp_path)
    assert {number for bucket in begun for number in bucket} <= {birth.id for birth in before.interrupted}
    before.ledger.close()
    rows = run(tmp_path, dataclasses.replace(ON_DEVICE, workers=0))
    assert [row["status"] for row in rows] == ["finished"] * 40
    assert sorted(row["finish_order"] for row in rows) == list(range(40))
    places = where(tmp_path, rows)
    assert [number for number in places if places[number] == f"warp-cpu {begun[0][0]}"] == sorted(begun[0])


def test_in_processes_a_bucket_whose_worker_was_killed_goes_on(tmp_path):
    rows = run(tmp_path, dataclasses.replace(ON_DEVICE, lifetimes=14), quick_lives.killed_once)
    assert [row["status"] for row in rows] == ["finished"] * 14
    assert (tmp_path / "lifetimes" / "killed").exists()


def test_after_an_error_on_the_device_another_process_uses_it(tmp_path):
    """An error there can leave the process without a working device, and every later bucket would fail too."""
    workers = Workers(0, device_lives=quick_lives.second_in_a_process_fails)
    order = BucketOrder(0, (), "warp-cpu", 1, tmp_path / "bucket")
    try:
        workers.submit_to_device(order)
        assert next_of(workers, (Failed, Finished)) == Failed(
            0, "error", "RuntimeError: an illegal memory access was encountered", 0
        )
        workers.submit_to_device(dataclasses.replace(order, members=(None,)))
        assert isinstance(next_of(workers, (Failed, Finished)), Finished)
    finally:
        workers.close()


def test_what_the_physics_of_a_bucket_warned_of_is_said(tmp_path, at_once, capsys):
    rows = run(tmp_path, dataclasses.replace(ON_DEVICE, lifetimes=10), quick_lives.warned)
    told = re.findall(
        r"(bucket \d+ of (\d)|lifetime \d+): the physics warned, in worlds x control steps: contactfull ([\d,]+); see",
        capsys.readouterr().out,
    )
    assert told
    assert all(int(count.replace(",", "")) == 1200 * int(size or 1) for _, size, count in told)
    measures = [json.loads(row["measures"]) for row in rows]
    assert {each.get("warning/contactfull") for each in measures} == {1200.0, None}


def test_warnings_that_are_not_said_are_those_that_end_no_episode():
    assert {name for bit, name in NAMES.items() if not HARMFUL >> bit & 1} == HARMLESS


def test_it_goes_on_where_the_cpu_stopped_and_the_other_way_round(tmp_path, at_once):
    on_cpu = dataclasses.replace(ON_DEVICE, device="cpu", lifetimes=12)
    evolution = Evolution(on_cpu, tmp_path)
    with Progress("test") as progress:
        evolve(evolution, progress, quick_lives.live)
    evolution.ledger.close()
    assert len(run(tmp_path, dataclasses.replace(ON_DEVICE, lifetimes=24))) == 24
    evolution = Evolution(dataclasses.replace(on_cpu, lifetimes=30), tmp_path)
    with Progress("test") as progress:
        evolve(evolution, progress, quick_lives.live)
    rows = evolution.ledger.lifetimes()
    evolution.ledger.close()
    assert [row["status"] for row in rows] == ["finished"] * 30


COMMAND = [
    *(sys.executable, "-c", "from embodied.cli.main import main; main()", "evolve", "--device", "warp-cpu"),
    *("--lifetimes", "9", "--population", "3", "--batch", "6", "--brood", "4", "--steps", "640", "--worlds", "2"),
    *("--episodes", "16", "--seed", "3", "--checkpoint-seconds", "0", "--ppo.rollout-steps", "8"),
    *("--ppo.minibatch", "16", "--ppo.epochs", "1", "--bucket-max", "2", "--resume"),
]


def disturbed(command, seconds):
    """Runs the command to its end, its process killed so often after so long."""
    for wait in seconds:
        driver = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            driver.wait(wait)
        except subprocess.TimeoutExpired:
            driver.kill()
            driver.wait()
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_real_lifetimes_on_device_and_cpu_survive_the_drivers_being_killed(tmp_path):
    disturbed([*COMMAND, "--workers", "1", "--out", str(tmp_path / "run")], (25, 40, 30))
    check_ledger(tmp_path / "run", 9)
    rows = Ledger(tmp_path / "run" / "ledger.sqlite", readonly=True).lifetimes()
    assert {"device" in json.loads(row["versions"]) for row in rows} == {True, False}


@pytest.mark.slow
def test_killed_again_and_again_it_gives_the_ledger_of_a_run_that_nobody_disturbed(tmp_path):
    ledgers = []
    for name, seconds in (("whole", ()), ("killed", (10, 13, 11, 15, 12))):
        disturbed([*COMMAND, "--workers", "0", "--out", str(tmp_path / name)], seconds)
        check_ledger(tmp_path / name, 9)
        ledger = Ledger(tmp_path / name / "ledger.sqlite", readonly=True)
        ledgers.append((list(ledger.dump()), [row["stints"] for row in ledger.lifetimes()]))
        ledger.close()
    (whole, once), (killed, often) = ledgers
    assert killed == whole
    assert max(once) == 1 < max(often)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"task": "velocity"}, "--task velocity cannot be learned by several bodies at once"),
        ({"budget": "halving"}, "--budget halving is for the CPU"),
        ({"bucket_min": 3, "bucket_max": 2}, "--bucket-max must be at least --bucket-min, 3, not 2"),
        ({"workers": -1}, "--workers must be at least 0"),
        ({"batch": 0}, "--batch must be at least 1"),
        ({"device": "tpu"}, "there is no device 'tpu'"),
    ],
)
def test_what_no_evolution_on_a_device_can_have_is_refused_by_name(tmp_path, change, said):
    with pytest.raises(UserError, match=said):
        Evolution(dataclasses.replace(ON_DEVICE, **change), tmp_path)
