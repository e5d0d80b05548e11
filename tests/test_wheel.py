"""The wheel, built and unpacked where no checkout is: data and commands come along."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
IN_WHEEL = """
import embodied, morphologies, sys
from embodied.runs.configuration import find_preset, preset_names
from morphologies import find_body
assert embodied.__file__.startswith(sys.argv[1]), embodied.__file__
assert morphologies.__file__.startswith(sys.argv[1])
assert str(find_preset("evolve", "quickstart")).startswith(sys.argv[1])
assert find_body("ant").description.limbs == 8
assert len(find_body("go1").feet) == 4
from embodied.cli.main import main
main(["list"])
main(["eval", "--policy", "zero", "--episodes", "1", "--body", "tripod"])
"""


def test_the_wheel_works_without_the_checkout(tmp_path):
    source = tmp_path / "source"
    for folder in ("embodied", "morphologies", "assets", "launch"):
        shutil.copytree(CHECKOUT / folder, source / folder)
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / file, source / file)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, source]
    subprocess.run(build, check=True, capture_output=True)
    shutil.rmtree(source)
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(installed)
    assert "morphologies/_assets/genomes/kangaroo.json" in names
    assert "embodied/_presets/train/derl.yaml" in names
    assert not [name for name in names if name.startswith(("tests/", "docs/"))]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", IN_WHEEL, str(installed)],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "kangaroo" in done.stdout
    assert list(elsewhere.iterdir()) == []
