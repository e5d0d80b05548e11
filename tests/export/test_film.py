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
