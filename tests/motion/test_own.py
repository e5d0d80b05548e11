"""Our own files: exact there and back, and refused where damaged, foreign, newer or hostile."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from embodied.motion.clip import MotionError
from embodied.motion.formats import own
from tests.motion.invented import walk


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "walk.npz"
    own.write(path, walk())
    return path


def rewritten(path: Path, **changes: np.ndarray | None) -> Path:
    with np.load(path) as stored:
        arrays: dict[str, np.ndarray | None] = {name: stored[name] for name in stored.files}
    arrays |= changes
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})  # type: ignore[arg-type]
    return path


def test_a_round_trip_is_exact_to_the_last_bit(stored):
    clip = walk()
    assert own.read_clip(stored).same_as(clip)
    first = stored.read_bytes()
    own.write(stored, own.read_clip(stored))
    assert stored.read_bytes() == first


def test_text_beyond_ascii_and_clips_without_feet_survive(tmp_path):
    from dataclasses import replace

    clip = replace(walk(), name="Paßgang", notes=(), licence="", foot_names=(), contacts=np.zeros((0, 0), bool))
    own.write(tmp_path / "clip.npz", clip)
    assert own.read_clip(tmp_path / "clip.npz").same_as(clip)


def test_a_file_cut_anywhere_is_refused_in_a_sentence(stored):
    whole = stored.read_bytes()
    for length in np.linspace(0, len(whole) - 1, 40).astype(int):
        stored.write_bytes(whole[:length])
        with pytest.raises(MotionError, match=r"walk\.npz"):
            own.read_clip(stored)


def test_a_changed_byte_is_refused_or_changes_nothing(stored):
    whole, clip = stored.read_bytes(), walk()
    for place in np.random.default_rng(0).integers(0, len(whole), 150):
        changed = bytearray(whole)
        changed[place] ^= 0x55
        stored.write_bytes(changed)
        try:
            assert own.read_clip(stored).same_as(clip)
        except MotionError as error:
            assert "walk.npz" in str(error)  # noqa: PT017


def test_a_foreign_archive_a_newer_version_and_a_missing_array_are_told_apart(stored, tmp_path):
    np.savez(tmp_path / "foreign.npz", weights=np.zeros(3))
    with pytest.raises(MotionError, match="no motion clip of this package"):
        own.read_clip(tmp_path / "foreign.npz")
    with pytest.raises(MotionError, match=r"lacks joint_vel"):
        own.read_clip(rewritten(stored, joint_vel=None))
    own.write(stored, walk())
    with pytest.raises(MotionError, match="is of version 2 of the format"):
        own.read_clip(rewritten(stored, version=np.asarray(2)))


def test_a_clip_that_is_not_finite_is_refused_by_file_and_frame(stored):
    broken = np.array(walk().root_pos)
    broken[12, 0] = np.inf
    with pytest.raises(MotionError, match=r"walk\.npz.*root_pos is not finite in frame 12"):
        own.read_clip(rewritten(stored, root_pos=broken))


def test_a_pickle_inside_an_archive_is_never_run(tmp_path, stored):
    ran = tmp_path / "ran"

    class Hostile:
        def __reduce__(self):
            return (Path.touch, (ran,))

    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    with zipfile.ZipFile(stored) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["root_pos.npy"] = header.getvalue() + pickle.dumps(np.array([Hostile()], dtype=object))
    with zipfile.ZipFile(stored, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(MotionError, match="damaged"):
        own.read_clip(stored)
    assert not ran.exists()


def test_an_archive_that_would_unpack_to_more_than_a_clip_is_refused(monkeypatch, stored):
    monkeypatch.setattr(own, "LARGEST", 1000)
    with pytest.raises(MotionError, match="unpacks to"):
        own.read_clip(stored)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("joint_names", np.arange(24).reshape(12, 2), "its joint_names are no list of names"),
        ("robot", np.asarray(3.5), "robot must be text"),
        ("frame_rate", np.zeros(3), "is damaged"),
        ("cycle", np.asarray(1.0), "is damaged"),
    ],
)
def test_arrays_of_another_kind_are_refused(stored, name, value, why):
    with pytest.raises(MotionError, match=why):
        own.read_clip(rewritten(stored, **{name: value}))
