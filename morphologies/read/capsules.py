"""Capsules: URDF has none, so files make them of a cylinder and two balls; here they become one shape again.

One shape touches the ground in fewer points than three, and where the robot came from had it so.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from morphologies.read.urdf_geometry import Shape
from morphologies.read.urdf_numbers import Pose

NEAR = 1e-6
"""m: differences of sizes and places that writing numbers out in short makes."""


def with_capsules(shapes: list[tuple[Shape, Pose]]) -> list[tuple[Shape, Pose]]:
    """The shapes of a link, each solid cylinder with a solid ball as thick at both of its ends made a capsule."""
    balls = {i for i, (shape, _) in enumerate(shapes) if shape.solid and shape.kind == "sphere"}
    capsules: dict[int, Shape] = {}
    gone: set[int] = set()
    for i, (shape, pose) in enumerate(shapes):
        if not shape.solid or shape.kind != "cylinder":
            continue
        radius, length = shape.size
        ends = [pose.pos + side * length / 2 * pose.rotation[:, 2] for side in (-1, 1)]
        found = [next((b for b in sorted(balls) if _is_at(shapes[b], radius, end)), None) for end in ends]
        if None not in found and found[0] != found[1]:
            capsules[i] = replace(shape, kind="capsule")
            gone |= set(found)  # type: ignore[arg-type]
            balls -= gone
    return [(capsules.get(i, shape), pose) for i, (shape, pose) in enumerate(shapes) if i not in gone]


def _is_at(ball: tuple[Shape, Pose], radius: float, place: np.ndarray) -> bool:
    shape, pose = ball
    return abs(shape.size[0] - radius) < NEAR and bool(np.linalg.norm(pose.pos - place) < NEAR)
