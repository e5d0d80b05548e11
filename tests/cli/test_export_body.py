"""`embodied export` of bodies as people use it, and what they get wrong with it."""

import json

import mujoco
import pytest

from embodied.cli.main import main
from morphologies import Hinge, Limb, find_body, fingerprint, read_genome, to_json
from morphologies.genome import Genome
from tests.cli.test_bad_input import everything, refused
from tests.report.synthetic import write_run

SMALL = Genome(700, 800, (Limb("head", 90, 90, 0.2, (Hinge("y", (-30, 30), 150),), mirrored=True),))


def other(density):
    return Genome(density, 900, (Limb("head", 45, 135, 0.3, (Hinge("y", (-60, 60), 200),), mirrored=True),))


@pytest.fixture
def genome(tmp_path):
    path = tmp_path / "small.json"
    path.write_text(to_json(SMALL))
    return path


@pytest.fixture(scope="module")
def evolution(tmp_path_factory):
    """Three lifetimes, the second of them the best, with folders of their own as real ones have."""
    run = tmp_path_factory.mktemp("evolution") / "run"
    genomes = [other(500), other(600), other(700)]
    lives = [{"genome": to_json(each), "fingerprint": fingerprint(each)} for each in genomes]
    write_run(run, [{**life, "fitness": fitness} for life, fitness in zip(lives, (1.0, 5.0, 3.0), strict=True)])
    for number, each in enumerate(genomes):
        folder = run / "lifetimes" / f"{number:06d}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "genome.json").write_text(to_json(each))
    return run, genomes


def test_a_genome_file_becomes_a_folder(genome, tmp_path, capsys):
    out = tmp_path / "made"
    main(["export", str(genome), "--out", str(out)])
    said = capsys.readouterr().out
    assert "3 links of" in said
    assert "2 joints, 2 motors" in said
    for path in ("mjcf/small.xml", "small.urdf", "meshes", "small.glb", "parts.md"):
        assert str(out / path) in said
        assert (out / path).exists()
    assert set(json.loads((out / "parts.json").read_text())["files"]) == {str(path) for path in everything(out)}
    assert read_genome(out / "small.json") == SMALL
    assert mujoco.MjModel.from_xml_path(str(out / "mjcf" / "small.xml")).nu == 2
    assert find_body(out / "small.urdf").description.mass == pytest.approx(find_body(genome).description.mass)


def test_of_an_evolution_the_best_body_or_any(evolution, tmp_path, capsys):
    run, genomes = evolution
    main(["export", str(run), "--out", str(tmp_path / "best")])
    assert read_genome(tmp_path / "best" / "lifetime_000001.json") == genomes[1]
    main(["export", str(run), "--lifetime", "2", "--out", str(tmp_path / "third")])
    assert read_genome(tmp_path / "third" / "lifetime_000002.json") == genomes[2]
    main(["export", str(run / "lifetimes" / "000000"), "--out", str(tmp_path / "first")])
    assert read_genome(tmp_path / "first" / "lifetime_000000.json") == genomes[0]
    capsys.readouterr()
    assert "has no lifetime 7; it has 0 to 2" in refused(
        capsys, "export", run, "--lifetime", "7", "--out", tmp_path / "no"
    )
    assert not (tmp_path / "no").exists()


def test_a_robot_that_was_read_leaves_too(tmp_path):
    pytest.importorskip("manifold3d", reason="needs the extra export")
    main(["export", "max", "--out", str(tmp_path / "max")])
    model = mujoco.MjModel.from_xml_path(str(tmp_path / "max" / "max.urdf"))
    assert (model.nq, model.nbody) == (12, 18), "the world and 17 links"


def test_a_second_export_replaces_the_first_and_nothing_else(genome, tmp_path):
    out = tmp_path / "made"
    main(["export", str(genome), "--out", str(out)])
    (out / "notes.txt").write_text("mine")
    (out / "meshes" / "bracket.stl").write_text("mine too")
    main(["export", "biped", "--out", str(out)])
    assert not (out / "small.urdf").exists()
    assert (out / "biped.urdf").exists()
    strangers = {str(path) for path in everything(out)} - set(json.loads((out / "parts.json").read_text())["files"])
    assert strangers == {"notes.txt", "meshes/bracket.stl"}


def test_a_list_that_names_files_elsewhere_harms_none(genome, tmp_path):
    out = tmp_path / "made"
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept.stl").write_text("mine")
    out.mkdir()
    (out / "link").symlink_to(tmp_path / "elsewhere")
    named = ["../victim.txt", str(victim), "link/kept.stl", "link/../../victim.txt", 3, ""]
    (out / "parts.json").write_text(json.dumps({"format": "embodied.body", "files": named}))
    main(["export", str(genome), "--out", str(out)])
    assert victim.read_text() == "mine"
    assert (tmp_path / "elsewhere" / "kept.stl").exists()


def test_what_is_no_place_to_write_is_refused(genome, tmp_path, capsys):
    full = tmp_path / "full"
    full.mkdir()
    (full / "thesis.tex").write_text("mine")
    before = everything(full)
    assert "is not empty and no earlier export" in refused(capsys, "export", genome, "--out", full)
    (full / "parts.json").write_text('{"format": "bicycle", "files": []}')
    assert "is not empty and no earlier export" in refused(capsys, "export", genome, "--out", full)
    (full / "parts.json").unlink()
    assert everything(full) == before
    assert "is a file" in refused(capsys, "export", genome, "--out", genome)
    assert "name the folder to write" in refused(capsys, "export", genome)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "say what to export"),
        (["antt", "--out", "o"], "did you mean ant"),
        ([".", "--out", "o"], "holds no run (there is no config.yaml)"),
        (["missing.json", "--out", "o"], "missing.json: cannot be read"),
        (["ant", "--lifetime", "3", "--out", "o"], "--lifetime is for evolutions"),
        (["broken.json", "--out", "o"], "is not JSON"),
        (["broken.urdf", "--out", "o"], "broken.urdf"),
        (["transfer", "--out", "o"], "holds a transfer"),
        (["training", "--lifetime", "1", "--out", "o"], "--lifetime is for evolutions"),
        (["fresh", "--lifetime", "1", "--out", "o"], "has not begun"),
    ],
)
def test_what_is_no_body_is_refused(tmp_path, monkeypatch, capsys, arguments, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "broken.urdf").write_text("<robot")
    for name, kind in (("transfer", "transfer"), ("training", "train"), ("fresh", "evolve")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text(f"kind: {kind}\ntask: flat\nbody: ant\n")
    assert says in refused(capsys, "export", *arguments)
    assert not (tmp_path / "o").exists()


def test_of_a_training_its_body(tmp_path, monkeypatch):
    run = tmp_path / "training"
    run.mkdir()
    (run / "config.yaml").write_text(f"kind: train\ntask: flat\nbody: mine\ngenome: '{to_json(SMALL)}'\n")
    main(["export", str(run), "--out", str(tmp_path / "out")])
    assert read_genome(tmp_path / "out" / "mine.json") == SMALL
