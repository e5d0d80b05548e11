"""What the YAML beside a robot file says of joints, contacts and pairs of links comes to pass, or is refused."""

import mujoco
import numpy as np
import pytest

from morphologies import RobotError
from morphologies.read import keep, kept_robot, read

CAPSULE = """
<robot name="arm">
  <link name="trunk"><inertial><mass value="2"/>
    <inertia ixx="0.1" iyy="0.1" izz="0.1" ixy="0" ixz="0" iyz="0"/></inertial>
    <collision><geometry><box size="0.3 0.3 0.1"/></geometry></collision></link>
  <joint name="elbow" type="revolute"><parent link="trunk"/><child link="arm"/><origin xyz="0.2 0 0"/>
    <axis xyz="0 1 0"/><limit lower="-1" upper="1" effort="5" velocity="3"/></joint>
  <link name="arm"><inertial><mass value="1"/>
    <inertia ixx="0.01" iyy="0.01" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial>
    <collision><origin xyz="0.1 0 0" rpy="0 1.5707963 0"/>
      <geometry><cylinder radius="0.02" length="0.3"/></geometry></collision>
    <collision><origin xyz="-0.05 0 0"/><geometry><sphere radius="0.02"/></geometry></collision>
    <collision><origin xyz="0.25 0 0"/><geometry><sphere radius="SECOND"/></geometry></collision>
  </link>
</robot>
"""
YAML = """
joints:
  "*": {armature: 0.5, stiffness: 2}
  elbow: {rest: -0.25, limit_solref: [0.01, 1], limit_solimp: [0, 0.99, 0.01, 0.5, 2]}
contacts:
  "*": {friction: [0.5, 0.01, 0.001], condim: 4}
  arm: {priority: 2, solref: [0.03, 1], solimp: [0.8, 0.9, 0.002, 0.5, 2]}
exclude: [[trunk, arm]]
exclude_touching: false
"""


def arm(folder, yaml, second="0.02"):
    path = folder / "arm.urdf"
    path.write_text(CAPSULE.replace("SECOND", second))
    (folder / "arm.yaml").write_text(yaml)
    return read(path, trusted=True)


def test_joints_and_contacts_are_as_it_says(tmp_path):
    reading = arm(tmp_path, YAML)
    (tmp_path / "kept").write_bytes(keep(reading))
    for body in (reading.body(), kept_robot(tmp_path / "kept")):
        model = body.spec().compile()
        elbow = model.joint("elbow")
        assert (elbow.armature, elbow.stiffness, model.qpos_spring[elbow.qposadr]) == (0.5, 2.0, -0.25)
        assert list(model.jnt_solref[elbow.id]) == [0.01, 1]
        assert list(model.jnt_solimp[elbow.id]) == [0, 0.99, 0.01, 0.5, 2]
        for name, priority, solref in (("trunk", 0, 0.02), ("arm", 2, 0.03)):
            geom = model.body(name).geomadr[0]
            assert list(model.geom_friction[geom]) == [0.5, 0.01, 0.001]
            assert (model.geom_condim[geom], model.geom_priority[geom]) == (4, priority)
            assert model.geom_solref[geom, 0] == solref
        assert model.nexclude == 1
        assert model.dof_armature[:6].max() == 0, "the root has none"


def test_a_cylinder_between_two_balls_is_one_capsule(tmp_path):
    model = arm(tmp_path, "").body().spec().compile()
    (geom,) = (g for g in range(model.ngeom) if model.geom_bodyid[g] == model.body("arm").id)
    assert model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_CAPSULE
    assert model.geom_size[geom, :2] == pytest.approx([0.02, 0.15])
    assert model.geom_pos[geom] == pytest.approx([0.1, 0, 0])
    axis = np.zeros(3)
    mujoco.mju_rotVecQuat(axis, np.array([0.0, 0, 1]), model.geom_quat[geom])
    assert np.abs(axis) == pytest.approx([1, 0, 0], abs=1e-6)


def test_a_cylinder_with_another_ball_stays_what_it_is(tmp_path):
    model = arm(tmp_path, "", second="0.021").body().spec().compile()
    kinds = [int(model.geom_type[g]) for g in range(model.ngeom) if model.geom_bodyid[g] == model.body("arm").id]
    assert kinds == [mujoco.mjtGeom.mjGEOM_CYLINDER, mujoco.mjtGeom.mjGEOM_SPHERE, mujoco.mjtGeom.mjGEOM_SPHERE]


@pytest.mark.parametrize(
    ("yaml", "says"),
    [
        ("joints: {elbow: {armour: 1}}", "elbow has armature, stiffness, rest"),
        ("joints: {elbow: {armature: -1}}", "armature of elbow must not be below 0"),
        ("joints: {elbow: {armature: .nan}}", "armature of elbow must be a finite number"),
        ("joints: {elbow: {limit_solref: [0.02]}}", "limit_solref of elbow must be 2 numbers"),
        ("joints: {elbow: 3}", "what is said of elbow must be names with values"),
        ("joints: {knee: {armature: 1}}", "knee, which matches no joint; it has elbow"),
        ("contacts: {arm: {condim: 2}}", "condim of arm must be 1, 3, 4 or 6, not 2"),
        ("contacts: {arm: {condim: [3]}}", "condim of arm must be 1, 3, 4 or 6"),
        ("contacts: {arm: {friction: 0.5}}", "friction of arm must be 3 numbers"),
        ("contacts: {leg: {condim: 3}}", "leg, which matches no link; it has trunk, arm"),
        ("exclude: [[arm, leg]]", "leg, which matches no link"),
        ("exclude: [[arm, arm]]", "a list of pairs of links"),
        ("exclude: [arm, trunk]", "must be a list of names, not 'arm'"),
        ("exclude: arm", "a list of pairs of links"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, yaml, says):
    with pytest.raises(RobotError, match=r"arm\.yaml") as refused:
        arm(tmp_path, yaml)
    assert says in str(refused.value)
