"""What arenas look like: sky, chequered ground, sun, and the walls around a ground that ends."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco

from embodied.scenes.terrain.pool import FRICTION

GROUND_MATERIAL = "floor"
WALL_MATERIAL = "wall"
SUN = (0.1, 0.05, -0.99)
"""Direction of light on level ground. Straight down, the floor would shade itself in patches."""
LOW_SUN = (-0.62, 0.28, -0.73)
"""Direction of light on uneven ground, slanted to show its relief. It is stronger and casts no shadows: slopes would
shade themselves in patches, and drawing shadows takes as long as all the rest."""
WALL_THICKNESS = 0.5
"""m, outwards from the edge of the ground."""


def dressed_spec(sun: Sequence[float] = SUN) -> mujoco.MjSpec:
    """A fresh spec with sky, light and the materials of ground and walls, and no ground yet."""
    low = sun == LOW_SUN
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
    material = spec.add_material(name=GROUND_MATERIAL, texrepeat=[0.5, 0.5], texuniform=True, specular=0.1)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "floor"
    spec.worldbody.add_light(
        name="sun",
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        pos=[0, 0, 10],
        dir=list(sun),
        diffuse=[0.75, 0.75, 0.75] if low else [0.5, 0.5, 0.5],
        castshadow=not low,
    )
    spec.visual.headlight.ambient = [0.4, 0.4, 0.4] if low else [0.45, 0.45, 0.45]
    spec.visual.headlight.diffuse = [0.1, 0.1, 0.1] if low else [0.35, 0.35, 0.35]
    # Of what is looked at, m: shadows are resolved for this much ground, not for an endless floor.
    spec.stat.extent = 3.0
    return spec


def add_walls(spec: mujoco.MjSpec, behind: float, ahead: float, half_width: float, height: float) -> None:
    """Adds four boxes around the ground, their inner faces on its edges.

    Args:
        spec: what they are added to, as ``wall/rear``, ``wall/front``, ``wall/right`` and ``wall/left``.
        behind: from the origin to the rear edge, against x, m.
        ahead: from the origin to the front edge, along x, m.
        half_width: from the origin to either side, m.
        height: above and, so that no gap is left below uneven ground, below z = 0, m.
    """
    half = WALL_THICKNESS / 2
    middle, length = (ahead - behind) / 2, (ahead + behind) / 2
    places = {
        "rear": ((-behind - half, 0.0), (half, half_width + 2 * half)),
        "front": ((ahead + half, 0.0), (half, half_width + 2 * half)),
        "right": ((middle, -half_width - half), (length, half)),
        "left": ((middle, half_width + half), (length, half)),
    }
    spec.add_material(name=WALL_MATERIAL, rgba=[0.86, 0.87, 0.87, 1.0])
    for name, (centre, size) in places.items():
        spec.worldbody.add_geom(
            name=f"wall/{name}",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=[*centre, 0.0],
            size=[*size, height],
            friction=FRICTION,
            material=WALL_MATERIAL,
        )
