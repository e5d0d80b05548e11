"""How far a developed body is from its own mirror image, measured on the compiled model."""

import mujoco
import numpy as np

from morphologies import UNIMAL, develop
from morphologies.skeleton import MIRROR, instances, mirror_permutation


def compiled(genome, space=UNIMAL, root="free"):
    return develop(genome, space, root).compile()


def mirror_error(genome, space=UNIMAL, seed=0):
    """Largest difference, m and kg, between a moved body and its reflected mirror image, left swapped with right.

    Limbs in the sagittal plane rest about x hinges here: swinging sideways they leave the plane, as they may.
    """
    model = compiled(genome, space, "fixed")
    limbs = instances(genome, space)
    image = mirror_permutation(limbs)
    rng = np.random.default_rng(seed)
    data, mirrored = mujoco.MjData(model), mujoco.MjData(model)
    for limb in limbs:
        twin = image[limb.index]
        for hinge in limb.limb.hinges:
            angle = rng.uniform(*np.deg2rad(hinge.range))
            if limb.side == 0 and hinge.axis == "x":
                angle = 0.0 if abs(limb.direction[1]) < 1e-12 else angle
            data.joint(f"limb{hinge.axis}/{limb.index}").qpos = angle
            mirrored.joint(f"limb{hinge.axis}/{twin}").qpos = angle
    mujoco.mj_fwdPosition(model, data)
    mujoco.mj_fwdPosition(model, mirrored)
    worst = abs(data.subtree_com[0, 1]) if all(limb.side == 0 for limb in limbs) else 0.0
    for limb in limbs:
        here, there = model.body(f"limb/{limb.index}").id, model.body(f"limb/{image[limb.index]}").id
        worst = max(
            worst,
            np.abs(data.xpos[here] * MIRROR - mirrored.xpos[there]).max(),
            np.abs(data.xipos[here] * MIRROR - mirrored.xipos[there]).max(),
            abs(model.body_mass[here] - model.body_mass[there]),
        )
    return worst
