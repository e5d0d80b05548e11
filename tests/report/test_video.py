"""Videos, in a process of their own: MuJoCo chooses its graphics once, when it is first imported."""

import os
import subprocess
import sys

import imageio_ffmpeg
import numpy as np
import pytest

from embodied.graphics import HINT
from embodied.report.film_file import film_file


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


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the reader leaves its pipes open
def test_a_film_takes_its_place_whole_or_not_at_all(tmp_path):
    path, picture = tmp_path / "films" / "one.mp4", np.full((32, 48, 3), 200, np.uint8)
    with film_file(path, (48, 32), 10) as show:
        for _ in range(5):
            show(picture[:, ::-1])
    frames = imageio_ffmpeg.read_frames(str(path))
    assert next(frames)["size"] == (48, 32)
    shades = [np.frombuffer(frame, np.uint8).mean() for frame in frames]
    np.testing.assert_allclose(shades, [200.0] * 5, atol=5.0)
    kept = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        broken_off(path, picture)
    assert path.read_bytes() == kept
    assert [film.name for film in path.parent.iterdir()] == ["one.mp4"]


def broken_off(path, picture):
    with film_file(path, (48, 32), 10) as show:
        show(picture // 2)
        1 // 0  # noqa: B018
