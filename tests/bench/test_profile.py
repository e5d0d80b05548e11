import gzip
import json
from pathlib import Path

import pytest

import embodied
from embodied.bench.profile import Profile, bench_profile, profile_rows, shares_of
from tests.bench.silence import Silent

HERE = Path(embodied.__file__).parent


def test_a_sample_belongs_to_the_innermost_function_of_ours():
    frames = [
        {"name": "main", "file": "/somewhere/else.py"},
        {"name": "watched", "file": f"{HERE}/bench/profiled.py"},
        {"name": "Env.advance", "file": f"{HERE}/envs/env.py"},
        {"name": "CpuWorld.step", "file": f"{HERE}/physics/cpu.py"},
        {"name": "step", "file": "/site-packages/mujoco/batch.py"},
    ]
    samples = [[0, 1, 2, 3, 4]] * 6 + [[0, 1, 2]] * 3 + [[0, 1]] + [[0, 2, 3]] * 5
    shares = shares_of({"shared": {"frames": frames}, "profiles": [{"samples": samples}]})
    assert shares["samples"] == 10
    assert shares["rooms"] == {"physics": 0.6, "envs": 0.3, "bench": 0.1}
    assert shares["functions"]["physics/cpu.py: CpuWorld.step"] == 0.6


def test_a_training_is_watched_and_its_profiles_can_be_opened(tmp_path):
    config = Profile(worlds=8, threads=1, seconds=1.0, out=tmp_path / "profile")
    figures = bench_profile(config, Silent())
    assert sum(figures["rooms"].values()) == pytest.approx(1.0)
    assert sum(figures["functions"].values()) == pytest.approx(1.0)
    assert figures["rooms"]["physics"] > 0.1
    speedscope, trace, tables = map(Path, figures["files"])
    assert json.loads(speedscope.read_text())["profiles"]
    assert json.loads(gzip.decompress(trace.read_bytes()))["traceEvents"]
    assert tables.read_text().count("\n") >= len(profile_rows(figures)) - 1
