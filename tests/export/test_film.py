"""`embodied play BUNDLE`, in a process of its own: MuJoCo chooses its graphics once, when it is first imported."""

import subprocess
import sys

import imageio_ffmpeg
import numpy as np
import pytest

from embodied.graphics import HINT


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the reader leaves its pipes open
def test_a_bundle_is_played_and_stays_as_it_was(made_bundle, tmp_path):
    before = sorted(path.name for path in made_bundle.rglob("*"))
    video = tmp_path / "film.mp4"
    size = ("--seconds", "0.8", "--width", "160", "--height", "112", "--video", str(video))
    done = subprocess.run(
        [sys.executable, "-m", "embodied", "play", str(made_bundle), *size], capture_output=True, text=True
    )
    if HINT in done.stderr:
        pytest.skip("no off-screen OpenGL on this machine")
    assert done.returncode == 0, done.stderr
    frames = imageio_ffmpeg.read_frames(str(video))
    assert next(frames)["size"] == (160, 112)
    pictures = [np.frombuffer(frame, np.uint8).reshape(112, 160, 3).astype(int) for frame in frames]
    assert len(pictures) == 20
    assert pictures[0].std() > 5
    assert np.abs(pictures[-1] - pictures[0]).mean() > 0.1
    assert sorted(path.name for path in made_bundle.rglob("*")) == before
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


FALLING = """
import sys
from pathlib import Path
from embodied.graphics import choose_egl
choose_egl()
from embodied.export import film
from embodied.export.opening import open_bundle
film.UPRIGHT, film.LYING = 2.0, 0.1  # nobody stands as upright as that
bundle, begun = open_bundle(Path(sys.argv[1])), []
run = bundle.simulation.run
bundle.simulation.run = lambda *given, **more: (begun.append(given), run(*given, **more))
print(film.film_bundle(bundle, Path(sys.argv[2]), 0, 0.5, (160, 112)), len(begun))
"""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_robot_that_fell_makes_way_for_the_next_start(made_bundle, tmp_path):
    program = [sys.executable, "-c", FALLING, str(made_bundle), str(tmp_path / "film.mp4")]
    done = subprocess.run(program, capture_output=True, text=True)
    if HINT in done.stderr:
        pytest.skip("no off-screen OpenGL on this machine")
    assert done.returncode == 0, done.stderr
    seconds, starts = map(float, done.stdout.split()[-2:])
    assert seconds == pytest.approx(0.5)
    assert starts == 5
