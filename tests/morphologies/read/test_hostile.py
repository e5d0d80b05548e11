"""Hostile and broken robot files: refused with the path and the reason, and never at this process's cost."""

import os
import signal
import subprocess

import pytest

from morphologies import find_body
from morphologies.read import Overrides, RobotError, read_robot
from morphologies.read import child as child_module
from morphologies.read.child import gathered_in_child
from tests.morphologies.read.files import body_with, write_stool

ENTITIES = """<?xml version="1.0"?>
<!DOCTYPE mujoco [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>
<mujoco model="&c;"><worldbody/></mujoco>
"""
INERTIAL = (
    '<mujoco><worldbody><body name="trunk"><freejoint/>'
    '<inertial pos="0 0 0" mass="{}" diaginertia="1 1 1"/></body></worldbody></mujoco>'
)
SLOW = body_with("", '<asset><hfield name="sea" nrow="100000" ncol="100000" size="1 1 1 1"/></asset>')
"""80 GB of heights."""
FILES = {
    "doctype": ("<!DOCTYPE mujoco><mujoco/>", "DOCTYPE"),
    "entity bomb": (ENTITIES, "DOCTYPE"),
    "external entity": ('<!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]><mujoco>&x;</mujoco>', "DOCTYPE"),
    "undeclared entity": ("<mujoco>&x;</mujoco>", "entity"),
    "a million bodies": (body_with("<body/>" * 1_000_000), "more than 100,000 elements"),
    "a million bodies from one": (
        body_with('<replicate count="1000"><replicate count="1000"><body/></replicate></replicate>'),
        "expands to 1e+06 elements",
    ),
    "a deep chain": (body_with("<body>" * 300 + "</body>" * 300), "nests more than 200"),
    "more bytes than a robot": (body_with("<!--" + "x" * (33 << 20) + "-->"), "larger than 32 MB"),
    "more memory than there is": (
        body_with("", '<asset><texture name="t" type="2d" builtin="flat" width="200000" height="200000"/></asset>'),
        "memory",
    ),
    "nan position": (
        body_with('<body name="stray" pos="nan 0 0"><geom size="1"/></body>'),
        "body 'stray' has the pos nan",
    ),
    "nan size": (body_with('<geom name="wall" type="box" size="1 nan 1"/>'), "'wall'"),
    "infinite mass": (INERTIAL.format("inf"), "body 'trunk' has the mass inf"),
    "huge mass": (INERTIAL.format("1e300"), "body 'trunk' has the mass 1e+300"),
    "negative mass": (INERTIAL.format("-1"), "does not compile"),
    "truncated": (body_with("")[:-20], "not well-formed XML"),
    "binary garbage": (os.urandom(4096).replace(b"<", b"."), "not well-formed XML"),
    "empty": ("", "is empty"),
    "blank": ("  \n", "is empty"),
    "other xml": ("<svg/>", "neither MJCF nor URDF: its root element is <svg>"),
    "no body": ("<mujoco><worldbody/></mujoco>", "holds no body"),
    "an unknown element": ("<mujoco><worldbody><robot/></worldbody></mujoco>", "is no MJCF"),
    "a mesh of face numbers gone wild": (
        body_with(
            '<body name="m"><geom type="mesh" mesh="m"/></body>',
            '<asset><mesh name="m" vertex="0 0 0 1 0 0 0 1 0 0 0 1" face="0 1 99999999"/></asset>',
        ),
        "does not compile",
    ),
    "another model attached": (body_with("", '<asset><model name="m" file="other.xml"/></asset>'), "attaches other"),
}


@pytest.mark.parametrize("kind", FILES)
def test_the_file_is_refused_with_path_and_reason(tmp_path, kind):
    content, words = FILES[kind]
    path = tmp_path / "robot.xml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RobotError) as error:
        find_body(path)
    assert str(path) in str(error.value)
    assert words in str(error.value)


def test_folders_and_missing_files_are_refused(tmp_path):
    with pytest.raises(RobotError, match="is not there"):
        find_body(tmp_path / "robot.urdf")
    (tmp_path / "robot.xml").mkdir()
    with pytest.raises(RobotError, match="is a folder"):
        find_body(tmp_path / "robot.xml")
    os.mkfifo(tmp_path / "pipe.xml")
    with pytest.raises(RobotError, match="no regular file"):
        find_body(tmp_path / "pipe.xml")


@pytest.fixture
def room(tmp_path):
    """A folder for the robot, and one beside it with what it must not read."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "arm.xml").write_text("<mujoco/>")
    (tmp_path / "secret" / "arm.stl").write_bytes(b"solid")
    (tmp_path / "robot").mkdir()
    return tmp_path


def _mesh(reference: str) -> str:
    return body_with("", f'<asset><mesh name="m" file="{reference}"/></asset>')


@pytest.mark.parametrize("reference", ["../secret/arm.xml", "{room}/secret/arm.xml", "linked.xml", "linked/arm.xml"])
def test_includes_outside_the_folder_are_refused_by_any_road(room, reference):
    (room / "robot" / "linked.xml").symlink_to(room / "secret" / "arm.xml")
    (room / "robot" / "linked").symlink_to(room / "secret")
    path = room / "robot" / "robot.xml"
    path.write_text(body_with("", f'<include file="{reference.format(room=room)}"/>'))
    with pytest.raises(RobotError, match="outside the asset root"):
        read_robot(path)


@pytest.mark.parametrize("reference", ["../secret/arm.stl", "{room}/secret/arm.stl", "linked.stl", "/etc/hostname"])
def test_meshes_outside_the_folder_are_refused_by_any_road(room, reference):
    (room / "robot" / "linked.stl").symlink_to(room / "secret" / "arm.stl")
    path = room / "robot" / "robot.xml"
    path.write_text(_mesh(reference.format(room=room)))
    with pytest.raises(RobotError, match="outside the asset root"):
        read_robot(path)


def test_compiler_folders_lead_nowhere_else(room):
    path = room / "robot" / "robot.xml"
    path.write_text(_mesh("arm.stl").replace("<worldbody>", '<compiler meshdir="../secret"/><worldbody>'))
    with pytest.raises(RobotError, match="outside the asset root"):
        read_robot(path)


def test_a_wider_root_lets_them_in(room):
    trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed")
    trimesh.creation.box().export(room / "secret" / "arm.stl")
    path = room / "robot" / "robot.xml"
    path.write_text(_mesh("../secret/arm.stl"))
    assert read_robot(path, asset_root=room).description.mass > 0
    with pytest.raises(RobotError, match="lies outside the asset root"):
        read_robot(path, asset_root=room / "secret")


def test_files_that_include_each_other_are_refused(room):
    folder = room / "robot"
    (folder / "one.xml").write_text('<mujoco><include file="two.xml"/></mujoco>')
    (folder / "two.xml").write_text('<mujoco><include file="one.xml"/></mujoco>')
    with pytest.raises(RobotError, match="inside itself"):
        read_robot(folder / "one.xml")


@pytest.mark.parametrize("suffix", ["stl", "obj", "msh", "dae", "ply", "glb", "xyzzy"])
def test_garbage_for_a_mesh_is_refused(tmp_path, suffix):
    path = tmp_path / "robot.xml"
    (tmp_path / f"arm.{suffix}").write_bytes(bytes(range(256)) * 8)
    path.write_text(
        body_with('<body><geom type="mesh" mesh="m"/></body>', f'<asset><mesh name="m" file="arm.{suffix}"/></asset>')
    )
    with pytest.raises(RobotError, match=r"robot\.xml: "):
        read_robot(path)


def test_a_child_that_takes_too_long_is_given_up(tmp_path):
    path = write_stool(tmp_path)
    with pytest.raises(RobotError, match=r"was not read within 0\.01 s"):
        gathered_in_child(path, None, Overrides(), None, time_limit=0.01)


@pytest.mark.parametrize("how", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_child_that_crashes_takes_nobody_along(tmp_path, monkeypatch, how):
    class Struck(subprocess.Popen):
        def communicate(self, *arguments, **named):
            os.kill(self.pid, how)
            return super().communicate(*arguments, **named)

    monkeypatch.setattr(child_module.subprocess, "Popen", Struck)
    path = write_stool(tmp_path)
    with pytest.raises(RobotError, match=f"crashed the process that read it, which was ended by {how.name}"):
        read_robot(path)


def test_memory_ends_in_the_child_first(tmp_path):
    path = tmp_path / "robot.xml"
    path.write_text(SLOW)
    with pytest.raises(RobotError, match="memory"):
        gathered_in_child(path, None, Overrides(), None, memory_limit=1 << 30)


def test_the_child_reads_what_the_parent_reads(tmp_path):
    path = write_stool(tmp_path)
    one, two = (read_robot(path, trusted=trusted).spec().compile() for trusted in (False, True))
    assert one.body_mass.tolist() == two.body_mass.tolist()
    assert one.actuator_gainprm.tolist() == two.actuator_gainprm.tolist()


def test_modules_beside_the_user_are_not_imported_by_the_child(tmp_path, monkeypatch):
    (tmp_path / "mujoco.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    assert read_robot(write_stool(tmp_path)).root == "free"
