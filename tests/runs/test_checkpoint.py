"""Checkpoints: written whole, read back bit for bit, and refused when something is wrong with them."""

import hashlib
import json
import os

import pytest
import torch
from safetensors.torch import load_file, save

from embodied.runs.checkpoint import latest_checkpoint, load_checkpoint, save_checkpoint
from embodied.runs.errors import UserError


def tensors(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {
        "weights": torch.randn(7, 3, generator=generator),
        "state": torch.randn(4, 5, generator=generator, dtype=torch.float64).T,  # not contiguous
        "mask": torch.tensor([True, False]),
        "count": torch.tensor(2**40),
        "generator": generator.get_state(),
        "odd": torch.tensor([float("nan"), float("inf"), -0.0]),
        "empty": torch.zeros(0, 3),
    }


def same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].dtype == other[name].dtype
        assert one[name].shape == other[name].shape
        assert one[name].numpy().tobytes() == other[name].numpy().tobytes()


def test_tensors_and_facts_come_back_bit_for_bit(tmp_path):
    facts = {"iteration": 3, "recent": {"return": [1.5, -2.25, 0.1]}, "none": None}
    path = save_checkpoint(tmp_path / "checkpoints", 4096, tensors(), facts)
    assert int(path.name) == 4096
    loaded, read = load_checkpoint(path)
    same(loaded, tensors())
    assert read == facts
    # Nothing but safetensors and JSON: other people's readers open them.
    same(load_file(path / "tensors.safetensors"), tensors())
    assert json.loads((path / "manifest.json").read_text())["facts"] == facts
    assert sorted(p.name for p in path.iterdir()) == ["manifest.json", "tensors.safetensors"]


def test_the_latest_two_stay(tmp_path):
    for step in (5, 100, 20_000, 1_000_000):
        save_checkpoint(tmp_path, step, tensors(step), {"step": step})
    assert sorted(int(p.name) for p in tmp_path.iterdir()) == [20_000, 1_000_000]
    loaded, facts = latest_checkpoint(tmp_path)
    assert facts == {"step": 1_000_000}
    same(loaded, tensors(1_000_000))


def test_a_checkpoint_of_the_same_step_is_replaced(tmp_path):
    save_checkpoint(tmp_path, 5, tensors(0), {"turn": 0})
    save_checkpoint(tmp_path, 5, tensors(1), {"turn": 1})
    assert latest_checkpoint(tmp_path)[1] == {"turn": 1}


def test_without_any_checkpoint_there_is_none(tmp_path):
    assert latest_checkpoint(tmp_path) is None
    assert latest_checkpoint(tmp_path / "nowhere") is None


def cut_tensors(path):
    file = path / "tensors.safetensors"
    file.write_bytes(file.read_bytes()[:-10])


def alter_a_bit(path):
    file = path / "tensors.safetensors"
    data = bytearray(file.read_bytes())
    data[-3] ^= 1
    file.write_bytes(data)


def empty_tensors(path):
    (path / "tensors.safetensors").write_bytes(b"")


def no_tensors(path):
    (path / "tensors.safetensors").unlink()


def cut_manifest(path):
    file = path / "manifest.json"
    file.write_text(file.read_text()[:40])


def no_manifest(path):
    (path / "manifest.json").unlink()


def bytes_for_a_manifest(path):
    (path / "manifest.json").write_bytes(b"\xff\xfe\x00")


def change_manifest(**changes):
    def change(path):
        file = path / "manifest.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))

    return change


def list_for_a_manifest(path):
    (path / "manifest.json").write_text("[1, 2]")


def no_safetensors(path):
    """Whole by its checksum, and not what it should be."""
    data = b"import os" * 10
    (path / "tensors.safetensors").write_bytes(data)
    change_manifest(sha256=hashlib.sha256(data).hexdigest())(path)


DAMAGES = {
    "cut_tensors": (cut_tensors, r"tensors\.safetensors.*damaged"),
    "alter_a_bit": (alter_a_bit, r"tensors\.safetensors.*damaged"),
    "empty_tensors": (empty_tensors, r"tensors\.safetensors.*damaged"),
    "no_tensors": (no_tensors, r"tensors\.safetensors.*cannot be read"),
    "cut_manifest": (cut_manifest, r"manifest\.json.*damaged"),
    "no_manifest": (no_manifest, r"manifest\.json.*cannot be read"),
    "bytes_for_a_manifest": (bytes_for_a_manifest, r"manifest\.json.*damaged"),
    "list_for_a_manifest": (list_for_a_manifest, r"manifest\.json.*damaged"),
    "text_version": (change_manifest(version="one"), r"manifest\.json.*damaged"),
    "null_version": (change_manifest(version=None), r"manifest\.json.*damaged"),
    "altered_checksum": (change_manifest(sha256="0" * 64), r"damaged"),
    "newer": (change_manifest(version=2), r"newer.*upgrade"),
    "no_safetensors": (no_safetensors, r"tensors\.safetensors.*damaged"),
}


@pytest.mark.parametrize(("damage", "says"), DAMAGES.values(), ids=DAMAGES.keys())
def test_a_checkpoint_that_something_is_wrong_with_is_refused_by_its_file(tmp_path, damage, says):
    path = save_checkpoint(tmp_path, 7, tensors(), {})
    damage(path)
    with pytest.raises(UserError, match=says) as refused:
        load_checkpoint(path)
    assert str(path) in str(refused.value)
    with pytest.raises(UserError, match=says):
        latest_checkpoint(tmp_path)


@pytest.mark.parametrize("damage", [d for name, (d, _) in DAMAGES.items() if name != "newer"])
def test_the_one_before_is_taken_when_the_newest_is_damaged(tmp_path, damage):
    save_checkpoint(tmp_path, 7, tensors(7), {"step": 7})
    damage(save_checkpoint(tmp_path, 8, tensors(8), {"step": 8}))
    loaded, facts = latest_checkpoint(tmp_path)
    assert facts == {"step": 7}
    same(loaded, tensors(7))


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_save_that_dies_on_the_way_leaves_the_others_whole(tmp_path, monkeypatch, call):
    save_checkpoint(tmp_path, 1, tensors(1), {"step": 1})
    save_checkpoint(tmp_path, 2, tensors(2), {"step": 2})

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", die) if call == "fsync" else patch.setattr(type(tmp_path), "replace", die)
        with pytest.raises(KeyboardInterrupt):
            save_checkpoint(tmp_path, 3, tensors(3), {"step": 3})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["000000000001", "000000000002"]
    assert latest_checkpoint(tmp_path)[1] == {"step": 2}


def test_what_a_killed_save_left_behind_is_not_taken_for_a_checkpoint(tmp_path):
    save_checkpoint(tmp_path, 1, tensors(1), {"step": 1})
    half = tmp_path / ".000000000002.4321.tmp"
    half.mkdir()
    (half / "tensors.safetensors").write_bytes(save({"weights": tensors()["weights"]})[:100])
    assert latest_checkpoint(tmp_path)[1] == {"step": 1}
    save_checkpoint(tmp_path, 2, tensors(2), {"step": 2})
    assert latest_checkpoint(tmp_path)[1] == {"step": 2}
