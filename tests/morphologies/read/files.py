"""Robot files that the tests write."""

from pathlib import Path

STOOL = """
<mujoco model="stool">
  <option timestep="0.003"/>
  <asset>
    <texture name="sky" type="skybox" builtin="gradient" rgb1="1 1 1" rgb2="0 0 0" width="16" height="96"/>
    <material name="wood" rgba="0.6 0.4 0.2 1"/>
  </asset>
  <worldbody>
    <light pos="0 0 3"/>
    <geom name="floor" type="plane" size="0 0 1"/>
    <site name="goal" pos="1 0 0"/>
    <body name="ball" pos="2 0 0.1">
      <freejoint/>
      <geom size="0.1"/>
    </body>
    <body name="seat" pos="0.5 0 1">
      <freejoint name="seat_root"/>
      <light pos="0 0 1"/>
      <geom name="seat" type="box" size="0.2 0.1 0.02" material="wood"/>
      <site name="here"/>
      <body name="left" pos="0 0.15 0">
        <joint name="left_hinge" axis="0 1 0" range="-60 60"/>
        <geom name="left" type="capsule" fromto="0 0 -0.05 0 0 -0.3" size="0.02"/>
      </body>
      <body name="right" pos="0 -0.15 0">
        <joint axis="0 1 0" range="-60 60"/>
        <geom name="right" type="capsule" fromto="0 0 -0.05 0 0 -0.3" size="0.02"/>
      </body>
    </body>
  </worldbody>
  ACTUATORS
  <sensor>
    <framepos name="to_goal" objtype="site" objname="here" reftype="site" refname="goal"/>
    <jointpos name="left_angle" joint="left_hinge"/>
  </sensor>
  <keyframe>
    <key name="home" qpos="2 0 0.1 1 0 0 0  0.5 0 1 1 0 0 0  0.25 -0.25"/>
  </keyframe>
</mujoco>
"""
"""A seat on two swinging legs, with a floor, a ball and a goal around it."""


def write_stool(folder: Path, actuators: str = "", name: str = "stool.xml") -> Path:
    """The stool, with the actuators given."""
    path = folder / name
    path.write_text(STOOL.replace("ACTUATORS", actuators))
    return path


def body_with(inside: str, outside: str = "") -> str:
    """A model of one floating ball, with more in its world and in its file."""
    ball = '<body name="ball"><freejoint/><geom name="ball" size="0.1"/></body>'
    return f"<mujoco><worldbody>{ball}{inside}</worldbody>{outside}</mujoco>"
