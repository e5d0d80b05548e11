"""The command: brings clips in, lists and checks them, and answers mistakes in a sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from embodied.cli.main import main
from embodied.motion.clip import MotionClip
from embodied.motion.files import read_clips
from embodied.motion.formats import own
from embodied.motion.repair import repair, shortcomings
from embodied.motion.skeleton import skeleton_of
from tests.motion.invented import walk
from tests.motion.test_formats import imitation_file, lifelike_file
from tests.motion.test_retarget import stepping


def sound(robot: str) -> MotionClip:
    """A clip with its feet on the floor."""
    clip = repair(stepping(robot), skeleton_of(robot)).clip
    assert clip is not None
    return clip


def refused(capsys, *arguments: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        main(["motion", *arguments])
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_files_of_a_folder_become_clips_with_verdicts(tmp_path, capsys):
    given = tmp_path / "given"
    given.mkdir()
    imitation_file(given / "trot.txt")
    (given / "notes.md").write_text("not a motion")
    own.write(given / "walk.npz", sound("go1"))
    lifelike_file(given / "broken.txt", FrameDuration=0)
    main(["motion", "import", str(given), "--out", str(tmp_path / "out"), "--json", str(tmp_path / "said.json")])
    said = capsys.readouterr().out
    assert "broken: refused" in said
    assert "has the FrameDuration 0, where seconds were expected" in said
    assert "1 refused; 1 other files left out" in said
    clips = {clip.name: clip for clip in read_clips(tmp_path / "out")}
    assert set(clips) == {"trot", "stepping"}
    assert clips["trot"].robot == "laikago"
    assert clips["trot"].notes
    rows = {row["clip"]: row for row in json.loads((tmp_path / "said.json").read_text())["clips"]}
    assert rows["broken"]["verdict"] == "refused"
    assert rows["broken"]["written"] is None
    assert rows["stepping"]["verdict"] == "accepted"
    for clip in clips.values():
        assert shortcomings(clip, skeleton_of(clip.robot)) == []


def test_clips_are_fitted_to_another_robot(tmp_path, capsys):
    own.write(tmp_path / "walk.npz", sound("max"))
    main(["motion", "import", str(tmp_path / "walk.npz"), "--retarget", "go1", "--out", str(tmp_path / "out")])
    (clip,) = read_clips(tmp_path / "out")
    assert clip.robot == "go1"
    assert any("Retargeted from max to go1 by feet" in note for note in clip.notes)


def test_clips_of_one_name_do_not_overwrite_each_other(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        own.write(tmp_path / folder / "walk.npz", sound("go1"))
    main(["motion", "import", str(tmp_path / "a"), str(tmp_path / "b"), "--out", str(tmp_path / "out")])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["stepping-2.npz", "stepping.npz"]


def test_clips_are_listed_and_checked(tmp_path, capsys):
    own.write(tmp_path / "good.npz", replace(sound("go1"), name="good"))
    main(["motion", "list", str(tmp_path)])
    said = capsys.readouterr().out.splitlines()
    assert said[1].split()[:5] == ["good", "go1", "2.0", "40", "ends"]
    assert said[-1] == "1 clips, 2 s"
    main(["motion", "check", str(tmp_path), "--robot", "go1"])
    assert "fits" in capsys.readouterr().out
    own.write(tmp_path / "high.npz", replace(walk(name="high"), root_pos=walk().root_pos + np.array((0, 0, 1.0))))
    error = refused(capsys, "check", str(tmp_path))
    assert "1 of 2 clips do not fit" in error
    with pytest.raises(SystemExit):
        main(["motion", "check", str(tmp_path), "--robot", "max", "--json", str(tmp_path / "found.json")])
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["wrong"] == 2
    assert "is for go1, not for max" in found["clips"][0]["finding"]


def test_mistakes_are_answered_in_a_sentence(tmp_path, capsys):
    path = lifelike_file(tmp_path / "dog.txt")
    (tmp_path / "empty").mkdir()
    assert "there is no embodied motion 'improt'; did you mean import?" in refused(capsys, "improt")
    assert "name motion files or folders" in refused(capsys, "import")
    assert "does not exist" in refused(capsys, "import", str(tmp_path / "none"))
    assert "no motion file in" in refused(capsys, "import", str(tmp_path / "empty"))
    assert "did you mean" in refused(capsys, "import", str(path), "--robot", "go11")
    out = str(tmp_path / "out")
    assert "no clip could be used" in refused(capsys, "import", str(path), "--robot", "go1", "--out", out)
    assert "--rate is frames in a second" in refused(capsys, "import", str(path), "--rate", "0")
    assert "is a file; name a folder" in refused(capsys, "import", str(path), "--out", str(path))
    assert "neither a file nor a folder" in refused(capsys, "list", "elsewhere")
    assert "has no motion clips" in refused(capsys, "check", str(tmp_path / "empty"))
    assert "name motion files, a folder or a robot" in refused(capsys, "view")
    assert "there is no clip pounce" in refused(capsys, "view", str(path), "--clip", "pounce")
    assert "multiples of 16" in refused(capsys, "view", str(path), "--width", "100")


def test_a_clip_does_not_choose_files_that_are_opened(tmp_path, capsys):
    """Neither one to read, by its robot's name, nor one to write, by its own."""
    trap = tmp_path / "trap.json"
    trap.write_text("not read")
    own.write(tmp_path / "given" / "a.npz", replace(walk(), robot=str(trap), name="../" + 300 * "x"))
    main(["motion", "import", str(tmp_path / "given"), "--out", str(tmp_path / "out")])
    assert f"Nothing is known of {trap}" in capsys.readouterr().out
    (written,) = (tmp_path / "out").iterdir()
    assert written.name == "_" + 199 * "x" + ".npz"
    main(["motion", "check", str(written)])
    assert f"nothing is known of {trap}" in capsys.readouterr().out
    assert "name its file with --robot" in refused(capsys, "view", str(written))


def test_a_video_shows_the_clip(tmp_path):
    """In a process of its own: MuJoCo chooses its graphics once, when it is first imported."""
    from embodied.graphics import HINT

    own.write(tmp_path / "walk.npz", sound("go1"))
    video = tmp_path / "made" / "walk.mp4"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "embodied", "motion", "view", str(tmp_path / "walk.npz"), "--video", str(video)),
            *("--seconds", "0.5", "--width", "160", "--height", "128"),
        ],
        capture_output=True,
        text=True,
        env=dict(os.environ),
    )
    if HINT in done.stderr:
        pytest.skip("no off-screen OpenGL on this machine")
    assert done.returncode == 0, done.stderr
    assert "1 clips of go1, 0.5 s" in done.stdout
    import imageio_ffmpeg

    assert imageio_ffmpeg.count_frames_and_secs(str(video))[0] == 15
