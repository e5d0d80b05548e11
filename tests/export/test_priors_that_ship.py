"""Every prior in ``assets/priors``: light, whole, and commanded by its name."""

from pathlib import Path

import numpy as np
import pytest

from embodied.envs import make
from embodied.export.check import judge
from embodied.export.load import find_prior, prior_folder, prior_names
from embodied.export.manifest import schema_text
from embodied.export.readme import readme
from embodied.testing import check_prior

LARGEST = 10e6
"""Bytes of a folder."""


def test_there_is_one():
    assert prior_names()


@pytest.mark.parametrize("name", prior_names())
def test_it_is_light_and_whole_and_does_in_closed_loop_what_it_did(name):
    folder = prior_folder() / name
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < LARGEST
    verdict = judge(folder)
    kept = [(folder / name).read_text() for name in ("manifest.schema.json", "README.md")]
    assert kept == [schema_text(), readme(verdict.manifest, dict(np.load(folder / "test_vectors.npz")))]
    assert not [note for note in verdict.notes if "not as this version of embodied writes it" in note]
    assert verdict.manifest["kind"] == "prior"
    assert verdict.manifest["training"]["data"]
    assert all(clip["licence"] for clip in verdict.manifest["training"]["data"])


@pytest.mark.parametrize("name", prior_names())
def test_it_keeps_what_priors_promise(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prior = find_prior(Path(name))
    env = make("heading", prior.robot, num_worlds=2, threads=1)
    check_prior(prior, env, steps=4)
    env.close()
