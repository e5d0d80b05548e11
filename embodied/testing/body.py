"""What every Body promises."""

from __future__ import annotations

import mujoco
import numpy as np

from morphologies import Body


def check_body(body: Body) -> None:
    """Asserts that a body compiles afresh, is finite, stands clear of itself, and survives random torques."""
    assert body.spec() is not body.spec(), "spec() must give a fresh MjSpec each time: a scene consumes it"
    model = body.spec().compile()
    for name in ("body_mass", "body_inertia", "body_pos", "geom_size", "jnt_range", "actuator_gear"):
        assert np.isfinite(getattr(model, name)).all(), f"{name} has values that are not finite"
    assert model.nbody > 1, "a body has at least a root link"
    assert model.body_parentid[1] == 0, "the root link is the first child of the world"
    assert body.spawn_height > 0
    expected = {"free": 6, "planar": 3, "fixed": 0}[body.root]
    on_root = [j for j in range(model.njnt) if model.jnt_bodyid[j] == 1] if body.root != "fixed" else []
    degrees = {0: 6, 1: 3, 2: 1, 3: 1}
    assert sum(degrees[int(model.jnt_type[j])] for j in on_root) == expected, f"the root is not {body.root}"
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    assert data.ncon == 0, "the body touches itself in its rest pose"
    rng = np.random.default_rng(0)
    for _ in range(200):
        data.ctrl[:] = rng.uniform(-1, 1, model.nu)
        mujoco.mj_step(model, data, 1)
    state = np.empty(mujoco.mj_stateSize(model, mujoco.mjtState.mjSTATE_PHYSICS))
    mujoco.mj_getState(model, data, state, mujoco.mjtState.mjSTATE_PHYSICS)
    assert np.isfinite(state).all()
    assert not any(warning.number for warning in data.warning), "the physics warned under random torques"
    assert body.description.mass > 0
