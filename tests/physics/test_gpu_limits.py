"""What a GPU World refuses, with the reason, before it allocates anything; none of it needs a GPU."""

import importlib.util

import mujoco
import numpy as np
import pytest
import torch

from embodied.physics import gpu_limits
from embodied.physics.devices import open_world
from embodied.physics.gpu import GpuWorld
from embodied.physics.gpu_buffers import FEWEST, BufferSizes, buffer_sizes, constraint_rows
from embodied.runs.errors import UserError
from embodied.scenes import Scene
from embodied.scenes.arenas.flat import FlatArena
from embodied.scenes.arenas.legged import LeggedArena
from morphologies import find_body
from tests.physics.gpu_worlds import DEVICE, ant


class Given:
    """A scene of a model alone."""

    def __init__(self, xml):
        self.model = mujoco.MjModel.from_xml_string(f"<mujoco>{xml}</mujoco>")


BALL = '<body pos="0 0 1"><freejoint/><geom size=".1"/></body>'


def chain(links, options=""):
    """A hanging chain with that many degrees of freedom."""
    bodies = '<body pos="0 0 -.1"><joint/><geom size=".02" contype="0" conaffinity="0"/>' * links + "</body>" * links
    return Given(f"<option {options}/><worldbody>{bodies}</worldbody>")


def refused(scene, varying=()):
    with pytest.raises(UserError) as told:
        open_world(scene, 2, varying, DEVICE)
    message = str(told.value)
    assert "\n" not in message
    return message


def test_more_than_sixty_degrees_of_freedom_are_refused_dense_and_held_sparse():
    assert "61 degrees of freedom and a dense Jacobian, which goes to 60" in refused(chain(61, 'jacobian="dense"'))
    gpu_limits.refuse_model(chain(60, 'jacobian="dense"').model)
    for jacobian in ("sparse", "auto"):
        gpu_limits.refuse_model(chain(61, f'jacobian="{jacobian}"').model)


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (f'<option solver="PGS"/><worldbody>{BALL}</worldbody>', "its solver is PGS; choose Newton or CG"),
        (f'<option><flag sleep="enable"/></option><worldbody>{BALL}</worldbody>', "it lets bodies sleep"),
        (
            f'<worldbody>{BALL}<site name="s"/></worldbody>'
            '<sensor><clock name="late" delay=".01" nsample="3"/></sensor>',
            "a delay or interval are not read there after a step: late",
        ),
        (
            '<worldbody><flexcomp name="cloth" type="grid" count="3 3 1" spacing=".1 .1 .1" dim="2" mass="1"/>'
            "</worldbody>",
            "it has flexible bodies",
        ),
        (f'<option><flag midphase="disable"/></option><worldbody>{BALL}</worldbody>', "MuJoCo Warp says: "),
        (f'<option><flag override="enable"/></option><worldbody>{BALL}</worldbody>', "mjENBL_OVERRIDE is unsupported"),
    ],
)
def test_models_that_cannot_be_held_are_refused_with_the_reason(xml, reason):
    message = refused(Given(xml))
    assert message.startswith("this model cannot run on a GPU: ")
    assert reason in message
    assert message.endswith("On the CPU it can: --device cpu")


def test_plugins_are_refused():
    model = find_body("ant").spec().compile()
    gpu_limits.refuse_model(model)
    scene = Given(
        '<extension><plugin plugin="mujoco.pid"><instance name="pid"/></plugin></extension><worldbody>'
        '<body><joint name="j"/><geom size=".1"/></body></worldbody>'
        '<actuator><plugin joint="j" plugin="mujoco.pid" instance="pid"/></actuator>'
    )
    assert "it has plugins, which run on the CPU alone" in refused(scene)


def test_fields_that_all_worlds_share_on_a_gpu_are_refused_by_name():
    assert "share these model fields, which vary on the CPU alone: geom_contype, jnt_type" in refused(
        ant(), ("geom_friction", "geom_contype", "jnt_type")
    )
    with pytest.raises(ValueError, match="cannot vary between worlds: geom_colour"):
        GpuWorld(ant(), 2, ("geom_colour",), DEVICE)


def test_fields_that_would_be_ignored_are_refused():
    assert "tendon_stiffness can vary only where the model has some" in refused(ant(), ("tendon_stiffness",))
    assert "opt.viscosity can vary only where the model has some" in refused(ant(), ("opt.viscosity",))
    assert "body_gravcomp can vary only where the model has some" in refused(ant(), ("body_gravcomp",))
    damped = Given(
        '<worldbody><body><joint name="j"/><geom size=".1"/></body></worldbody>'
        '<actuator><motor joint="j" damping="1"/></actuator>'
    )
    assert "dof_damping cannot vary where actuators have damping of their own" in refused(damped, ("dof_damping",))


def test_missing_libraries_are_named_with_what_to_install(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "mujoco_warp" else found(name))
    with pytest.raises(UserError, match=r"needs mujoco_warp, which is not installed: pip install 'embodied\[gpu\]'"):
        open_world(ant(), 1, device="cuda")


@pytest.mark.parametrize(
    ("engine", "warp_engine", "trouble"),
    [
        ("3.17.0", "3.17.0", None),
        ("3.18.1", "3.17.2", None),
        ("3.17.0", "3.16.3", "mujoco-warp 3.16.3 is older than 3.17"),
        ("4.0.1", "3.17.0", "mujoco-warp 3.17.0 is not made for mujoco 4.0.1"),
    ],
)
def test_versions_that_do_not_go_together_are_told(engine, warp_engine, trouble):
    found = gpu_limits.version_trouble(engine, warp_engine)
    assert found is None if trouble is None else found is not None and trouble in found


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_machine_without_a_cuda_device_says_so():
    with pytest.raises(UserError, match="cuda"):
        open_world(ant(), 1, device="cuda")


def test_a_gpu_that_is_not_there_is_told(monkeypatch):
    import warp as wp

    monkeypatch.setattr(wp, "get_cuda_device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UserError, match="there is no cuda:2 on this machine; it has cuda:0, cuda:1"):
        gpu_limits.refuse_missing("cuda:2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="was built without CUDA"):
        gpu_limits.refuse_missing("cuda")


def test_buffers_hold_what_random_play_needs_twice_over():
    scene = Scene(FlatArena(), {"robot": find_body("ant")})
    sizes = buffer_sizes(scene)
    assert sizes == buffer_sizes(Scene(FlatArena(), {"robot": find_body("ant")})), "the rule gives one answer"
    model, data = scene.model, mujoco.MjData(scene.model)
    rng = np.random.default_rng(7)
    most = rows = 0
    for _ in range(6):
        mujoco.mj_resetData(model, data)
        data.qpos[3:7] = rng.normal(size=4)
        for _ in range(100):
            data.ctrl[:] = rng.uniform(-1, 1, model.nu)
            mujoco.mj_step(model, data, 4)
            most, rows = max(most, data.ncon), max(rows, data.nefc)
    assert most >= 2
    assert sizes.contacts >= 1.5 * most
    assert sizes.constraints >= 1.5 * rows


def test_constraint_rows_are_counted_by_hand():
    joints = '<joint name="a" limited="true" range="-1 1" frictionloss="1"/><joint name="b" axis="1 0 0"/>'
    scene = Given(
        f'<worldbody><body name="one">{joints}<geom size=".1"/></body><body name="two"><freejoint/>'
        '<geom size=".1" condim="4"/></body></worldbody>'
        '<equality><weld body1="one" body2="two"/><joint joint1="a" joint2="b"/></equality>'
    )
    # 6 + 1 for equalities, 1 joint that rubs, 2 ends of its range, and 2 * (4 - 1) rows of each contact.
    assert constraint_rows(scene.model, 5) == 7 + 1 + 2 + 5 * 6
    assert constraint_rows(scene.model, 5, ("dof_frictionloss",)) == 7 + 8 + 2 + 5 * 6
    scene.model.opt.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    assert constraint_rows(scene.model, 5) == 7 + 1 + 2 + 5 * 4


def test_a_world_with_nothing_to_touch_still_has_room():
    assert buffer_sizes(chain(2)) == BufferSizes(FEWEST, FEWEST * 4)


def test_terrain_needs_more_room_than_a_plane():
    arena = LeggedArena(kinds=("rough",), levels=2, size=4.0, cell=0.1, border=2.0)
    rough = Scene(arena, {"robot": find_body("ant")})
    assert buffer_sizes(rough, rough.varying).contacts > buffer_sizes(ant()).contacts
