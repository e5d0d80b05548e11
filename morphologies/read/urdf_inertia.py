"""Inertia of rigid bodies, moved and put together as links that are fixed to each other are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphologies.read.urdf_numbers import Pose


@dataclass
class Inertia:
    """Mass, centre and inertia of a rigid body."""

    mass: float
    centre: np.ndarray
    """(3,) m."""
    about_centre: np.ndarray
    """(3, 3) kg·m², in the axes of the link."""


def moved(inertia: Inertia, pose: Pose) -> Inertia:
    """The same body seen from a frame in which its link stands at a pose."""
    rotation = pose.rotation
    return Inertia(
        inertia.mass,
        np.array(pose.pos) + rotation @ inertia.centre,
        rotation @ inertia.about_centre @ rotation.T,
    )


def together(parts: list[Inertia]) -> Inertia | None:
    """Several bodies as one, by the parallel-axis theorem."""
    mass = sum(part.mass for part in parts)
    if mass <= 0:
        return None
    centre = np.sum([part.mass * part.centre for part in parts], axis=0) / mass
    about = np.zeros((3, 3))
    for part in parts:
        arm = part.centre - centre
        about += part.about_centre + part.mass * (arm @ arm * np.eye(3) - np.outer(arm, arm))
    return Inertia(mass, centre, about)
