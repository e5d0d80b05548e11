"""A level floor with a chequered look, lit from above."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco

FRICTION = (0.7, 0.1, 0.1)
"""Sliding, torsional, rolling; DERL's default for all geoms."""


@dataclass(frozen=True)
class FlatArena:
    """A floor at z = 0. It is drawn without end; the sizes are where a task puts its edges."""

    ahead: float = 147.0
    """Extent from the origin along x, m."""
    half_width: float = 75.0
    """Extent to each side, m."""

    def spec(self) -> mujoco.MjSpec:
        """A fresh spec of floor, sky and light."""
        spec = mujoco.MjSpec()
        spec.add_texture(
            name="sky",
            type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
            builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
            rgb1=[0.78, 0.87, 0.94],
            rgb2=[0.97, 0.98, 0.99],
            width=64,
            height=384,
        )
        spec.add_texture(
            name="floor",
            type=mujoco.mjtTexture.mjTEXTURE_2D,
            builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
            rgb1=[0.80, 0.83, 0.84],
            rgb2=[0.70, 0.74, 0.76],
            width=256,
            height=256,
        )
        material = spec.add_material(name="floor", texrepeat=[0.5, 0.5], texuniform=True)
        material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "floor"
        # Two dimensions of 0: an infinite plane. The third is the spacing of its drawn grid.
        spec.worldbody.add_geom(
            name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 1], material="floor", friction=FRICTION
        )
        spec.worldbody.add_light(
            name="sun",
            type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
            pos=[0, 0, 10],
            dir=[0.1, 0.05, -0.99],  # straight down, the floor would shade itself in patches
            diffuse=[0.5, 0.5, 0.5],
        )
        spec.visual.headlight.ambient = [0.45, 0.45, 0.45]
        spec.visual.headlight.diffuse = [0.35, 0.35, 0.35]
        # Of what is looked at, m: shadows are resolved for this much ground, not for an endless floor.
        spec.stat.extent = 3.0
        return spec
