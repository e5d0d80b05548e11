"""What can be changed about a scene to make its physics faster, from the engine's flags to the body's geoms.

A change is made to the compiled model, or to the spec it is compiled from. The latter are only replayed: where a task
does not find what it looks for no policy can be played.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

Disable, Enable = mujoco.mjtDisableBit, mujoco.mjtEnableBit
ROBOT = "robot/"
"""Prefix of the body whose geoms and sensors are changed."""


@dataclass(frozen=True)
class Change:
    """One thing that is done differently."""

    name: str
    said: str
    """What it does, for the table."""
    model: Callable[[mujoco.MjModel], None] = lambda model: None
    """Changes a compiled model."""
    spec: Callable[[mujoco.MjSpec, mujoco.MjModel], None] | None = None
    """Changes what is compiled; of a model compiled from it before."""
    geoms: Callable[[mujoco.MjModel], np.ndarray] | None = None
    """Which geoms of a scene's model are left, by number; None for all."""
    loses: str | None = None
    """A model field whose values per world it would lose: scenes that vary it are not changed so."""
    longer: float = 1.0
    """Times the time step, the control step staying as it is."""
    clock: bool = False
    """Whether the engine reads its clock."""


def _set(**values: Any) -> Callable[[mujoco.MjModel], None]:
    def change(model: mujoco.MjModel) -> None:
        for name, value in values.items():
            setattr(model.opt, name, value)

    return change


def _without(*flags: mujoco.mjtDisableBit) -> Callable[[mujoco.MjModel], None]:
    def change(model: mujoco.MjModel) -> None:
        for flag in flags:
            model.opt.disableflags |= int(flag)

    return change


def _with(*flags: mujoco.mjtDisableBit) -> Callable[[mujoco.MjModel], None]:
    def change(model: mujoco.MjModel) -> None:
        for flag in flags:
            model.opt.disableflags &= ~int(flag)

    return change


def _enabled(flag: mujoco.mjtEnableBit) -> Callable[[mujoco.MjModel], None]:
    def change(model: mujoco.MjModel) -> None:
        model.opt.enableflags |= int(flag)

    return change


def _all(*changes: Callable[[mujoco.MjModel], None]) -> Callable[[mujoco.MjModel], None]:
    def change(model: mujoco.MjModel) -> None:
        for each in changes:
            each(model)

    return change


def _no_self_collision(model: mujoco.MjModel) -> None:
    """The ground still asks for contacts with the robot; the robot asks for none."""
    for body in range(model.nbody):
        if model.body(body).name.startswith(ROBOT):
            first, count = model.body_geomadr[body], model.body_geomnum[body]
            model.geom_contype[first : first + count] = 0
            model.body_contype[body] = 0


def _condim(dimensions: int) -> Callable[[mujoco.MjModel], None]:
    def change(model: mujoco.MjModel) -> None:
        model.geom_condim[:] = dimensions

    return change


def _margin(model: mujoco.MjModel) -> None:
    model.geom_margin[:] = 0.01
    model.body_margin[:] = 0.01


def _sensors_gone(*kinds: mujoco.mjtSensor) -> Callable[[mujoco.MjSpec, mujoco.MjModel], None]:
    def change(spec: mujoco.MjSpec, model: mujoco.MjModel) -> None:
        for sensor in list(spec.sensors):
            if sensor.type in kinds:
                spec.delete(sensor)

    return change


def _solid(geom: Any) -> bool:
    """Whether a geom may touch anything."""
    return bool(geom.contype or geom.conaffinity)


def _not_drawn(model: mujoco.MjModel) -> np.ndarray:
    """(k,) Numbers of the geoms that are solid, or not the robot's."""
    bodies = [model.body(body).name for body in model.geom_bodyid]
    return np.array([g for g in range(model.ngeom) if _solid(model.geom(g)) or not bodies[g].startswith(ROBOT)])


def _drawn_gone(spec: mujoco.MjSpec, model: mujoco.MjModel) -> None:
    for geom in list(spec.geoms):
        if not _solid(geom) and geom.parent.name.startswith(ROBOT):
            spec.delete(geom)


def _excluded(spec: mujoco.MjSpec, model: mujoco.MjModel) -> None:
    links = [body.name for body in spec.bodies if body.name.startswith(ROBOT)]
    for one, other in itertools.combinations(links, 2):
        spec.add_exclude(bodyname1=one, bodyname2=other)


def _paired(spec: mujoco.MjSpec, model: mujoco.MjModel) -> None:
    """Every pair of geoms that may touch is named, with the parameters that the engine would combine."""
    for number, geom in enumerate(spec.geoms):
        geom.name = geom.name or f"unnamed/{number}"
    named = spec.compile()
    solid = [geom for geom in range(named.ngeom) if _solid(named.geom(geom))]
    for one, other in itertools.combinations(solid, 2):
        if not _may_touch(named, one, other):
            continue
        first, second = named.geom_priority[[one, other]]
        friction = named.geom_friction[[one, other]].max(axis=0)
        if first != second:
            friction = named.geom_friction[one if first > second else other]
        pair = spec.add_pair(geomname1=named.geom(one).name, geomname2=named.geom(other).name)
        pair.friction = [friction[0], friction[0], friction[1], friction[2], friction[2]]
        pair.condim = int(named.geom_condim[[one, other]].max())
        pair.solref, pair.solimp = named.geom_solref[one], named.geom_solimp[one]
    for geom in spec.geoms:
        geom.contype = geom.conaffinity = 0


def _may_touch(model: mujoco.MjModel, one: int, other: int) -> bool:
    """As the engine filters: not of one rigid body, nor of a parent and its child."""
    first, second = (int(model.body_weldid[model.geom_bodyid[geom]]) for geom in (one, other))
    over_first, over_second = (int(model.body_weldid[model.body_parentid[body]]) for body in (first, second))
    return first != second and not (first and second and (first == over_second or second == over_first))


BASE = Change("as it is", "the scene as this framework makes it")
CHANGES: tuple[Change, ...] = (
    Change("again", "the same once more: what is noise"),
    Change("as MuJoCo comes", "clock and islands", _with(Disable.mjDSBL_ISLAND), clock=True),
    Change("clock", "MuJoCo's default: the engine reads a clock some thirty times a step", clock=True),
    Change("islands", "MuJoCo's default: looks for parts that can be solved apart", _with(Disable.mjDSBL_ISLAND)),
    Change("no islands", "our default where one body is all that moves", _without(Disable.mjDSBL_ISLAND)),
    Change("no warm start", "the solver begins without the last step's solution", _without(Disable.mjDSBL_WARMSTART)),
    Change("no sensors", "a bound: nothing is sensed", _without(Disable.mjDSBL_SENSOR)),
    Change("dense", "Jacobian; what is chosen below 60 degrees of freedom", _set(jacobian=0)),
    Change("sparse", "Jacobian", _set(jacobian=1)),
    Change("no midphase", "no bounding volumes within a body", _without(Disable.mjDSBL_MIDPHASE)),
    Change("old convex collider", "libccd for what is no primitive", _without(Disable.mjDSBL_NATIVECCD)),
    Change("no equality", "no code for equality constraints", _without(Disable.mjDSBL_EQUALITY)),
    Change("no autoreset", "a broken state is not reset", _without(Disable.mjDSBL_AUTORESET)),
    Change("line search 10", "at most 10 iterations, not 50", _set(ls_iterations=10)),
    Change("line search 0.1", "tolerance, not 0.01", _set(ls_tolerance=0.1)),
    Change("tolerance 1e-6", "of the solver, not 1e-8", _set(tolerance=1e-6)),
    Change("tolerance 1e-4", "of the solver", _set(tolerance=1e-4)),
    Change("8 iterations", "of the solver at most, not 100", _set(iterations=8)),
    Change("4 iterations", "of the solver at most", _set(iterations=4)),
    Change("CG", "solver: conjugate gradients, not Newton's", _set(solver=int(mujoco.mjtSolver.mjSOL_CG))),
    Change("PGS", "solver: projected Gauss-Seidel", _set(solver=int(mujoco.mjtSolver.mjSOL_PGS))),
    Change("implicitfast", "integrator", _set(integrator=int(mujoco.mjtIntegrator.mjINT_IMPLICITFAST))),
    Change("implicit", "integrator", _set(integrator=int(mujoco.mjtIntegrator.mjINT_IMPLICIT))),
    Change("explicit damping", "Euler's integrator with nothing implicit", _without(Disable.mjDSBL_EULERDAMP)),
    Change("elliptic", "cone of friction", _set(cone=int(mujoco.mjtCone.mjCONE_ELLIPTIC))),
    Change("condim 1", "contacts without friction", _condim(1)),
    Change("condim 4", "contacts that brake spinning", _condim(4)),
    Change("margin 1 cm", "contacts are made before they touch", _margin),
    Change("no friction loss", "joints without dry friction", _without(Disable.mjDSBL_FRICTIONLOSS)),
    Change("no limits", "a bound: joints without limits", _without(Disable.mjDSBL_LIMIT)),
    Change("no self-collision", "limbs pass through each other", _no_self_collision),
    Change("no contacts", "a bound: the body falls through the ground", _without(Disable.mjDSBL_CONTACT)),
    Change("no constraints", "a bound: neither contacts nor limits", _without(Disable.mjDSBL_CONSTRAINT)),
    Change("2.5 ms", "time step, eight to a control step", longer=0.5),
    Change("10 ms", "time step, two to a control step", longer=2.0),
    Change("20 ms", "time step, one to a control step", longer=4.0),
    Change("no accelerometer", "the sensor taken out", spec=_sensors_gone(mujoco.mjtSensor.mjSENS_ACCELEROMETER)),
    Change("no touch", "all touch sensors taken out", spec=_sensors_gone(mujoco.mjtSensor.mjSENS_TOUCH)),
    Change("no drawn geoms", "what of the body is only drawn taken out", spec=_drawn_gone, geoms=_not_drawn),
    Change("excludes", "every pair of links excluded by name", spec=_excluded),
    Change(
        "pairs",
        "every pair of geoms that may touch named: no broad phase",
        spec=_paired,
        loses="geom_friction",
    ),
    Change("both", "no warm start, tolerance 1e-6", _all(_without(Disable.mjDSBL_WARMSTART), _set(tolerance=1e-6))),
    Change(
        "rough and ready",
        "10 ms, no warm start, tolerance 1e-6",
        _all(_without(Disable.mjDSBL_WARMSTART), _set(tolerance=1e-6)),
        longer=2.0,
    ),
)
"""Besides `BASE`, which all are compared with."""


def changed(change: Change, model: mujoco.MjModel, compose: Callable[[], mujoco.MjSpec]) -> mujoco.MjModel:
    """A changed model; the one that is given stays as it is.

    Args:
        change: what is done to it.
        model: of the scene.
        compose: gives a fresh spec of the scene.
    """
    if change.spec is None:
        made = copy.copy(model)
    else:
        spec = compose()
        change.spec(spec, model)
        made = spec.compile()
        made.opt.disableflags = model.opt.disableflags
    change.model(made)
    made.opt.timestep *= change.longer
    return made


def fits(change: Change, decimation: int, varying: Iterable[str]) -> bool:
    """Whether a scene can be changed so: one of so many physics steps to a control step, with such fields per world."""
    steps = decimation / change.longer
    whole = steps >= 1 and abs(steps - round(steps)) < 1e-9
    return whole and (change.loses is None or change.loses not in varying)
