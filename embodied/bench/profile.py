"""Where a step of a training goes: py-spy's samples by room and by function, and torch's profiler by operation.

py-spy watches a training in a process of its own. A sample belongs to the innermost function of this package on the
stack: what numpy, torch or MuJoCo do for it is its time. Native frames are left out: a step of the physics is one row.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import embodied
from embodied.bench.profiled import training
from embodied.bench.setting import Measure, OnTask
from embodied.runs.errors import UserError
from embodied.runs.files import write_atomically
from embodied.runs.progress import Progress
from embodied.runs.table import aligned

RATE = 100
"""Samples a second."""
FUNCTIONS, OPERATIONS = 16, 12
"""Rows of each table; the rest is summed up."""
PACKAGE = Path(embodied.__file__).parent
WATCHED = "watched"
"""The function that samples count in."""
SPEEDSCOPE, TORCH_TRACE, TABLES = "py-spy.speedscope.json", "torch.trace.json.gz", "tables.txt"


@dataclass(frozen=True)
class Profile(OnTask):
    """Where a step of a training goes."""

    seconds: float = 20.0
    """That py-spy watches."""
    device: str = "cpu"
    """Where; on a GPU the operations of torch are told by the time that the GPU takes for them."""
    out: Path = Path("runs/profile")
    """Folder for the profiles, which https://www.speedscope.app and https://ui.perfetto.dev show, and the tables."""


def bench_profile(config: Profile, progress: Progress) -> dict[str, Any]:
    """Writes the profiles; gives shares of time by room and function, and by operation of torch.

    Raises:
        UserError: py-spy is missing, or may not watch here.
    """
    config.out.mkdir(parents=True, exist_ok=True)
    progress.say(f"PPO of {config.body} on {config.task}, {config.worlds} worlds {config.on_threads}, watched.")
    figures = _watch(config)
    figures["torch"] = _torch_operations(config)
    write_atomically(config.out / TABLES, aligned(profile_rows(figures)) + "\n")
    figures["files"] = [str(config.out / name) for name in (SPEEDSCOPE, TORCH_TRACE, TABLES)]
    return figures


def profile_rows(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """As a table."""
    step = figures["control_step_ms"]
    rows: list[tuple[str, ...]] = [("where a control step goes", "share", "ms")]
    rows += [(name, f"{share:.1%}", f"{share * step:.3f}") for name, share in figures["rooms"].items()]
    rows += [("", "", ""), ("function", "share", "ms")]
    rows += [(name, f"{share:.1%}", f"{share * step:.3f}") for name, share in figures["functions"].items()]
    rows += [("", "", ""), ("operation of torch", "share of them", "calls per control step")]
    rows += [(name, f"{each['share']:.1%}", f"{each['calls']:.1f}") for name, each in figures["torch"].items()]
    return rows


def _watch(config: Profile) -> dict[str, Any]:
    here = Path(sys.executable).with_name("py-spy")
    spy = here if here.exists() else shutil.which("py-spy")
    if spy is None:
        raise UserError("py-spy is missing; pip install 'embodied[bench]' brings it")
    file = config.out / SPEEDSCOPE
    settings = f"--rate {RATE} --idle --nonblocking --function --full-filenames --format speedscope".split()
    told = [config.task, config.body, str(config.worlds), str(config.cores), config.device, str(config.seconds)]
    command = [str(spy), "record", *settings, "--output", str(file), "--"]
    command += [sys.executable, "-m", "embodied.bench.profiled", *told]
    done = subprocess.run(command, capture_output=True, text=True)
    answer = next((line for line in done.stdout.splitlines() if line.startswith("{")), None)
    if done.returncode or answer is None or not file.exists():
        last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise UserError(f"py-spy could not watch the training: {last}")
    made = json.loads(answer)
    shares = shares_of(json.loads(file.read_text()))
    return {
        "worlds": config.worlds,
        "threads": config.cores,
        "steps_per_second": made["steps"] / made["seconds"],
        "control_step_ms": 1e3 * made["seconds"] * config.worlds / made["steps"],
        **shares,
    }


def shares_of(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """Shares of the time in `watched` by room and by function, from a speedscope file; how many samples there were."""
    frames = recorded["shared"]["frames"]
    functions: Counter[str] = Counter()
    rooms: Counter[str] = Counter()
    for profile in recorded["profiles"]:
        for stack in profile["samples"]:
            if all(frames[number]["name"] != WATCHED for number in stack):
                continue
            ours = [(path, frames[number]["name"]) for number in stack if (path := _in_package(frames[number]["file"]))]
            path, function = ours[-1]
            rooms[path.partition("/")[0]] += 1
            functions[f"{path}: {function}"] += 1
    total = max(1, rooms.total())
    return {
        "samples": rooms.total(),
        "rooms": {name: count / total for name, count in rooms.most_common()},
        "functions": _largest({name: count / total for name, count in functions.most_common()}, FUNCTIONS),
    }


def _in_package(file: str) -> str | None:
    """A path within the package; None for what lies elsewhere."""
    path = Path(file)
    return path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else None


def _largest(shares: dict[str, float], count: int) -> dict[str, float]:
    kept = dict(list(shares.items())[:count])
    rest = sum(shares.values()) - sum(kept.values())
    return kept | ({"all others": rest} if len(shares) > count else {})


def _torch_operations(config: Profile) -> dict[str, dict[str, float]]:
    """Shares of the time that torch's operations take themselves, and how often each is called in a control step."""
    from torch.profiler import ProfilerActivity, profile

    trainer = training(config.task, config.body, config.worlds, config.cores, config.device)
    on_gpu = config.device.startswith("cuda")
    with profile(activities=[ProfilerActivity.CPU, *[ProfilerActivity.CUDA] * on_gpu]) as recorded:
        trainer.iterate()
    trainer.env.close()
    recorded.export_chrome_trace(str(config.out / TORCH_TRACE))
    control_steps = trainer.samples / config.worlds
    spent = {each: each.self_device_time_total if on_gpu else each.self_cpu_time_total for each in _averages(recorded)}
    total = sum(spent.values()) or 1.0
    longest = sorted(spent, key=lambda each: -spent[each])[:OPERATIONS]
    return {each.key: {"share": spent[each] / total, "calls": each.count / control_steps} for each in longest}


def _averages(recorded: Any) -> list[Any]:
    return list(recorded.key_averages())


BENCH = Measure(Profile, bench_profile, profile_rows)
