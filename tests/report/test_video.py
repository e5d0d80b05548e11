"""Videos, in a process of their own: MuJoCo chooses its graphics once, when it is first imported."""

import os
import subprocess
import sys

import imageio_ffmpeg
import numpy as np
import pytest

from embodied.graphics import HINT


def play(folder, **environment):
    return subprocess.run(
        [
            *(sys.executable, "-m", "embodied", "play", "--policy", "random", "--body", "tripod"),
            *("--seconds", "1", "--width", "320", "--height", "240", "--video", str(folder / "made" / "video.mp4")),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the reader leaves its pipes open
def test_a_video_shows_a_moving_body_of_the_size_asked_for(tmp_path):
    done = play(tmp_path)
    if HINT in done.stderr:
        pytest.skip("no off-screen OpenGL on this machine")
    assert done.returncode == 0, done.stderr
    assert "body lengths" in done.stdout
    frames = imageio_ffmpeg.read_frames(str(tmp_path / "made" / "video.mp4"))
    facts = next(frames)
    assert facts["size"] == (320, 240)
    pictures = [np.frombuffer(frame, np.uint8).reshape(240, 320, 3).astype(int) for frame in frames]
    assert len(pictures) >= 10
    assert pictures[0].std() > 5
    assert np.abs(pictures[-1] - pictures[0]).mean() > 1
    assert not [path for path in (tmp_path / "made").iterdir() if path.name != "video.mp4"]


def test_without_graphics_the_packages_to_install_are_named(tmp_path):
    done = play(tmp_path, MUJOCO_GL="disable")
    assert done.returncode == 2
    assert "libegl1" in done.stderr
    assert "Traceback" not in done.stderr
