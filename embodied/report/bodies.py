"""Portraits of bodies: standing at rest on nothing, with a soft shadow, on a transparent ground."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import mujoco
import numpy as np

from embodied.graphics import HINT, NoGraphics, refuse_no_screen
from embodied.report.history import Life
from embodied.runs.errors import UserError
from morphologies import Body, GenomeError, body_from_genome, from_json

WIDTH, HEIGHT = 320, 256
"""Of a portrait, pixels."""
FINER = 3
"""Times as many pixels are drawn to each side, and averaged: edges then fade into the ground."""
ELEVATION, AZIMUTH, FIELD = -20.0, 128.0, 30.0
"""Degrees: from above, from ahead and the left; angle of view upwards."""
LIGHT = (-0.08, -0.12, -1.0)
"""Where the light goes."""
MARGIN = 1.08
"""Of the distance at which body and shadow just fill the picture."""
SHADE = 0.5
"""Darkness of the deepest shadow."""


class Portraits:
    """Draws bodies once: each is kept under its fingerprint in a folder."""

    def __init__(self, folder: Path) -> None:
        """The folder is made when the first portrait is."""
        self._folder = folder
        self._drawn: dict[str, np.ndarray | None] = {}
        self.missing: str | None = None
        """Why nothing can be drawn; None as long as it can."""

    def __call__(self, life: Life) -> np.ndarray | None:
        """(height, width, 4) uint8, or None where nothing can be drawn."""
        if life.fingerprint not in self._drawn:
            self._drawn[life.fingerprint] = self._portrait(life)
        return self._drawn[life.fingerprint]

    def path(self, life: Life) -> Path | None:
        """The PNG file of a body, or None where nothing can be drawn."""
        return self._file(life) if self(life) is not None else None

    def _file(self, life: Life) -> Path:
        return self._folder / f"{life.fingerprint}.png"

    def _portrait(self, life: Life) -> np.ndarray | None:
        path = self._file(life)
        if path.exists():
            try:
                return (255 * matplotlib.image.imread(path)).round().astype(np.uint8)
            except (OSError, ValueError, SyntaxError):
                path.unlink()
        if self.missing:
            return None
        try:
            picture = portrait(body_from_genome(from_json(life.genome), f"lifetime {life.id}"))
        except GenomeError as error:
            raise UserError(f"the ledger is damaged: the genome of lifetime {life.id} is none ({error})") from None
        except NoGraphics as error:
            self.missing = str(error)
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp.png")
        matplotlib.image.imsave(temporary, picture)
        temporary.replace(path)
        return picture


def portrait(body: Body, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """(height, width, 4) uint8: a body in its rest pose, filling the picture, with its shadow on an unseen ground.

    Raises:
        NoGraphics: there is no off-screen OpenGL here.
    """
    refuse_no_screen()
    model = _model(body)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    own = [geom for geom in range(model.ngeom) if model.geom_bodyid[geom] != 0]
    # The body stands on the ground: its lowest point touches it.
    low, high = _box(model, data, own)
    model.geom_pos[0, 2] = low[2]
    model.geom_sameframe[0] = mujoco.mjtSameFrame.mjSAMEFRAME_NONE  # else the new place is passed over
    mujoco.mj_forward(model, data)
    camera = mujoco.MjvCamera()
    camera.type = mujoco.mjtCamera.mjCAMERA_FREE
    camera.azimuth, camera.elevation = AZIMUTH, ELEVATION
    camera.lookat[:] = (low + high) / 2
    camera.distance = _distance(model, data, own, camera, width / height)
    try:
        renderer = mujoco.Renderer(model, FINER * height, FINER * width)
    except Exception as error:
        raise NoGraphics(f"{HINT} ({type(error).__name__}: {error})") from None
    try:
        lit = _frame(renderer, data, camera, shadows=False)
        shaded = _frame(renderer, data, camera, shadows=True)
        renderer.enable_segmentation_rendering()
        renderer.update_scene(data, camera)
        is_body = np.isin(renderer.render()[..., 0], own)
    finally:
        renderer.close()
    shadow = np.where(is_body, 0.0, np.clip(1 - shaded.mean(-1) / np.maximum(lit.mean(-1), 1e-3), 0, 1))
    alpha = np.where(is_body, 1.0, SHADE * _soft(shadow))
    colour = np.where(is_body[..., None], lit, 0.12)
    return _averaged(colour, alpha, height, width)


def _model(body: Body) -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.worldbody.add_geom(
        name="ground", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 1], rgba=[0.9, 0.9, 0.9, 1], group=0
    )
    spec.worldbody.add_light(
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        pos=[0, 0, 4],
        dir=list(LIGHT),
        diffuse=[0.55, 0.55, 0.55],
        specular=[0.15, 0.15, 0.15],
    )
    spec.visual.headlight.ambient = [0.42, 0.42, 0.42]
    spec.visual.headlight.diffuse = [0.38, 0.38, 0.38]
    spec.visual.headlight.specular = [0.1, 0.1, 0.1]
    spec.visual.global_.offwidth, spec.visual.global_.offheight = FINER * WIDTH, FINER * HEIGHT
    spec.visual.global_.fovy = FIELD
    spec.visual.quality.shadowsize = 2048
    spec.visual.quality.offsamples = 0
    spec.stat.extent = 2.0
    frame = spec.worldbody.add_frame(pos=[0, 0, body.spawn_height])
    spec.attach(body.spec(), prefix="body/", frame=frame)
    return spec.compile()


def _frame(renderer: mujoco.Renderer, data: mujoco.MjData, camera: mujoco.MjvCamera, shadows: bool) -> np.ndarray:
    """(height, width, 3) Colours from 0 to 1. Limbs are lit without shadows on them: those come out ragged."""
    renderer.update_scene(data, camera)
    renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = shadows
    return renderer.render().astype(np.float64) / 255


def _ends(model: mujoco.MjModel, data: mujoco.MjData, geoms: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) Centres and (n,) radii of spheres that hold the geoms, two for a capsule."""
    centres, radii = [], []
    for geom in geoms:
        size, centre = model.geom_size[geom], data.geom_xpos[geom]
        if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_CAPSULE:
            axis = data.geom_xmat[geom].reshape(3, 3)[:, 2] * size[1]
            centres += [centre + axis, centre - axis]
            radii += [size[0], size[0]]
        else:
            centres.append(centre)
            radii.append(model.geom_rbound[geom])
    return np.array(centres), np.array(radii)


def _box(model: mujoco.MjModel, data: mujoco.MjData, geoms: list[int]) -> tuple[np.ndarray, np.ndarray]:
    centres, radii = _ends(model, data, geoms)
    return (centres - radii[:, None]).min(0), (centres + radii[:, None]).max(0)


def _distance(
    model: mujoco.MjModel, data: mujoco.MjData, geoms: list[int], camera: mujoco.MjvCamera, aspect: float
) -> float:
    """From which the whole body is just inside the picture, m; the view is centred anew on the way."""
    azimuth, elevation = np.radians([camera.azimuth, camera.elevation])
    forward = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    right = np.array([np.sin(azimuth), -np.cos(azimuth), 0.0])
    up = np.cross(right, forward)
    centres, radii = _ends(model, data, geoms)
    drop = (centres[:, 2] - model.geom_pos[0, 2])[:, None]
    centres, radii = np.vstack((centres, centres + drop * np.array(LIGHT))), np.tile(radii, 2)  # and its shadow
    for axis in (right, up):
        along = (centres - camera.lookat) @ axis
        camera.lookat[:] += axis * (max(along + radii) + min(along - radii)) / 2
    from_centre = centres - camera.lookat
    slope = np.tan(np.radians(FIELD) / 2)
    needed = 0.0
    for axis, room in ((right, slope * aspect), (up, slope)):
        needed = max(needed, float(((np.abs(from_centre @ axis) + radii) / room - from_centre @ forward).max()))
    return MARGIN * needed


def _soft(shadow: np.ndarray) -> np.ndarray:
    """The shadow with blurred edges, gone before the picture ends."""
    reach = 3 * FINER
    for axis in (0, 1):
        for _ in range(2):
            shadow = np.mean([np.roll(shadow, shift, axis) for shift in range(-reach, reach + 1)], axis=0)
    y, x = (np.minimum(np.linspace(0, 1, n), np.linspace(1, 0, n)) for n in shadow.shape)
    return shadow * np.clip(np.minimum(y[:, None], x[None, :]) / 0.04, 0, 1)


def _averaged(colour: np.ndarray, alpha: np.ndarray, height: int, width: int) -> np.ndarray:
    blocks = (height, FINER, width, FINER)
    thin = alpha.reshape(blocks).mean((1, 3))
    mixed = (colour * alpha[..., None]).reshape(*blocks, 3).mean((1, 3)) / np.maximum(thin, 1e-6)[..., None]
    return (255 * np.dstack((np.clip(mixed, 0, 1), thin))).round().astype(np.uint8)
