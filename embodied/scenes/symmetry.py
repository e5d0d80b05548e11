"""The mirror symmetry of a body, found in its model: which link, joint and motor is whose mirror image.

The mirror is the root link's x-z plane: left and right change places.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from embodied.runs.errors import UserError
from embodied.scenes.entity import Entity
from embodied.scenes.flip import Flip
from embodied.scenes.reflection import MIRROR, Reflection

TOLERANCE = 0.02
"""Part by which numbers may differ. Real robots are not quite symmetric: a Go1's trunk has its centre of mass 2 mm to
the left, one of MAX 3 mm, so that their mirror images are 4 and 6 mm away. Bodies of the design space are exact."""
POLAR, AXIAL = Flip.of((0, 1, 2), (1.0, -1.0, 1.0)), Flip.of((0, 1, 2), (-1.0, 1.0, -1.0))
"""Of vectors in a frame that lies symmetric, such as the root link's and the world's: of positions, velocities and
forces, and of rotations about axes."""


class NotSymmetric(UserError):
    """A body has a part without a mirror image; the message names it."""


@dataclass(frozen=True, eq=False)
class BodySymmetry:
    """What changes places with what in one body, and with which sign."""

    entity: Entity
    links: Flip
    """(links,) In the order of `Entity.link_names`; signs are 1."""
    joints: Flip
    """(joints,) Angles and speeds in the order of `Entity.joint_names`."""
    actuators: Flip
    """(actuators,) Controls, and actions, in the order of `Entity.actuator_names`."""
    reflection: Reflection

    def among(self, links: Sequence[str]) -> Flip:
        """Of some of the links, one number each, such as the feet's contacts.

        Raises:
            NotSymmetric: a link is among them and its mirror image is not.
        """
        names = self.entity.link_names
        partners = [names[int(self.links.index[names.index(link)])] for link in links]
        for link, partner in zip(links, partners, strict=True):
            if partner not in links:
                raise NotSymmetric(f"{link} of {self.entity.body.name} counts; its mirror image {partner} does not")
        return Flip.of([links.index(partner) for partner in partners])

    def sensors(self, names: Sequence[str]) -> Flip:
        """Of some sensors at sites, one number each: each has its mirror image's place.

        Raises:
            NotSymmetric: one has no mirror image among them.
        """
        model, partners = self.entity.model, []
        sites = [self._site(name) for name in names]
        ids = self.entity.bodies
        for name, site in zip(names, sites, strict=True):
            link = ids[int(self.links.index[ids.index(int(model.site_bodyid[site]))])]
            found = [
                number
                for number, other in enumerate(sites)
                if model.site_bodyid[other] == link and self.reflection.sites(site, other) is None
            ]
            if not found:
                raise NotSymmetric(f"the sensor {name} of {self.entity.body.name} has no mirror image")
            partners.append(found[0])
        return Flip.of(partners)

    def instrument(self, name: str) -> tuple[Flip, Flip]:
        """(3,) Of what an instrument in the plane of symmetry reads, in its own frame: polar vectors, axial ones.

        Raises:
            NotSymmetric: it lies beside that plane or is turned askew to it.
        """
        site = self._site(name)
        body = self.entity.body.name
        if text := self.reflection.apart(self.reflection.site_place[site], self.reflection.site_place[site]):
            raise NotSymmetric(f"the sensor {name} of {body} does not lie in the plane of symmetry: its image {text}")
        frame = self.reflection.site_frame[site]
        turned = frame.T @ (MIRROR[:, None] * frame)
        places = np.abs(turned).argmax(axis=1)
        signs = np.sign(turned[np.arange(3), places])
        if np.abs(turned[np.arange(3), places]).min() < 1 - self.reflection.tolerance:
            raise NotSymmetric(f"the axes of the sensor {name} of {body} stand askew to the plane of symmetry")
        return Flip.of(places.tolist(), signs.tolist()), Flip.of(places.tolist(), (-signs).tolist())

    def _site(self, sensor: str) -> int:
        model = self.entity.model
        number = model.sensor(f"{self.entity.name}/{sensor}").id
        if model.sensor_objtype[number] != mujoco.mjtObj.mjOBJ_SITE:
            raise NotSymmetric(f"the sensor {sensor} of {self.entity.body.name} is not at a site")
        return int(model.sensor_objid[number])


def symmetry_of(entity: Entity, tolerance: float = TOLERANCE) -> BodySymmetry:
    """The symmetry of a body.

    Args:
        entity: the body in a scene.
        tolerance: part by which numbers may differ; for places, of the body's reach.

    Raises:
        NotSymmetric: there is none; the message names the first part without a mirror image, and why.
    """
    search = _Search(entity, tolerance)
    search.refuse_what_is_not_compared()
    root = entity.bodies[0]
    if why := search.match(root, root):
        raise NotSymmetric(f"{entity.body.name} is not mirror-symmetric: {why}")
    numbers = {joint: n for n, joint in enumerate(entity.joints)}
    joints = Flip.of(
        [numbers[search.joints[joint][0]] for joint in entity.joints], [search.joints[j][1] for j in entity.joints]
    )
    search.refuse_asymmetric_pose(joints)
    links = Flip.of([entity.bodies.index(search.links[link]) for link in entity.bodies])
    return BodySymmetry(entity, links, joints, search.actuators(), search.reflection)


class _Search:
    """Finds mirror images from the root link outwards."""

    def __init__(self, entity: Entity, tolerance: float) -> None:
        self.entity, self.model = entity, entity.model
        self.reflection = Reflection(entity.model, entity.bodies, tolerance)
        self.links: dict[int, int] = {}
        self.joints: dict[int, tuple[int, float]] = {}
        """Partner and sign."""

    def refuse_what_is_not_compared(self) -> None:
        """Couplings between links besides joints."""
        model, own = self.model, set(self.entity.bodies)
        coupled = [body for e in range(model.neq) for body in _bodies_of_equality(model, e)]
        spanned = [body for w in range(model.nwrap) for body in _bodies_of_wrap(model, w)]
        for what, bodies in (("equality constraints", coupled), ("tendons", spanned)):
            if own & set(bodies):
                raise NotSymmetric(f"{self.entity.body.name} has {what}; their mirror images are not looked for")

    def match(self, one: int, other: int) -> str | None:
        """Notes that a link is the other's mirror image, with all that hangs on it; or says why it is not."""
        why = self.reflection.links(one, other) or self._match_joints(one, other)
        why = why or self._match_geoms(self._geoms(one), self._geoms(other))
        if why:
            whose = "its own mirror image" if one == other else f"the mirror image of {self._link(other)}"
            return f"{self._link(one)} is not {whose}: {why}"
        self.links[one] = other
        children, free = self._children(one), self._children(other)
        if len(children) != len(free):
            return f"{self._link(one)} carries {len(children)} links and {self._link(other)} {len(free)}"
        for child in children:
            reasons: list[str] = []
            nearest = sorted(free, key=lambda b: float(np.linalg.norm(self._middle(child) * MIRROR - self._middle(b))))
            for candidate in nearest:
                reason = self.match(child, candidate)
                if reason is None:
                    free.remove(candidate)
                    break
                reasons.append(reason)
            else:
                return reasons[0]
        return None

    def _middle(self, link: int) -> np.ndarray:
        return self.reflection.mass_place[link]

    def _children(self, link: int) -> list[int]:
        return [b for b in self.entity.bodies if self.model.body_parentid[b] == link]

    def _geoms(self, link: int) -> list[int]:
        solid = (self.model.geom_contype != 0) | (self.model.geom_conaffinity != 0)
        return np.flatnonzero((self.model.geom_bodyid == link) & solid).tolist()

    def _match_joints(self, one: int, other: int) -> str | None:
        """Joints of a link follow one another in an order that counts."""
        own, theirs = ([j for j in self.entity.joints if self.model.jnt_bodyid[j] == b] for b in (one, other))
        if len(own) != len(theirs):
            return f"it has {len(own)} joints and not {len(theirs)}"
        for mine, partner in zip(own, theirs, strict=True):
            sign, why = self.reflection.joints(mine, partner)
            if why:
                return f"joint {self._name(self.model.joint, mine)}: {why}"
            self.joints[mine] = (partner, sign)
        return None

    def _match_geoms(self, own: list[int], theirs: list[int]) -> str | None:
        if len(own) != len(theirs):
            return f"it has {len(own)} geoms and not {len(theirs)}"
        free = list(theirs)
        for geom in own:
            reasons = {other: self.reflection.geoms(geom, other) for other in free}
            found = [other for other, why in reasons.items() if why is None]
            if not found:
                return f"geom {self._name(self.model.geom, geom)}: {next(iter(reasons.values()))}"
            free.remove(found[0])
        return None

    def actuators(self) -> Flip:
        """What drives the joints.

        Raises:
            NotSymmetric: an actuator drives something else, or has no mirror image.
        """
        model, own = self.model, self.entity.actuators
        places, signs = [], []
        for actuator in own:
            name = self._name(model.actuator, actuator)
            driven = int(model.actuator_trnid[actuator, 0])
            if model.actuator_trntype[actuator] != mujoco.mjtTrn.mjTRN_JOINT or driven not in self.joints:
                raise NotSymmetric(f"actuator {name} of {self.entity.body.name} drives no hinge or slide of its links")
            partner, sign = self.joints[driven]
            others = [a for a in own if int(model.actuator_trnid[a, 0]) == partner]
            compared = [(a, *self.reflection.actuators(actuator, a, sign)) for a in others]
            fitting = [(a, s) for a, s, why in compared if why is None]
            if not fitting:
                why = compared[0][2] if compared else f"nothing drives {self._name(model.joint, partner)}"
                raise NotSymmetric(f"actuator {name} of {self.entity.body.name} has no mirror image: {why}")
            places.append(own.index(fitting[0][0]))
            signs.append(fitting[0][1])
        offset, scale = self.entity.action_map
        flip = Flip.of(places, signs)
        if np.abs(np.asarray(signs) * offset[places] - offset).max(initial=0.0) > self.reflection.tolerance or (
            np.abs(scale[places] - scale).max(initial=0.0) > self.reflection.tolerance
        ):
            raise NotSymmetric(f"actions of {self.entity.body.name} mean other things on the left than on the right")
        return flip

    def refuse_asymmetric_pose(self, joints: Flip) -> None:
        """The default pose must be its own mirror image."""
        pose = self.entity.pose
        mirrored = joints.sign.numpy() * pose[joints.index.numpy()]
        wrong = np.abs(mirrored - pose) > self.reflection.tolerance * max(1.0, float(np.abs(pose).max(initial=0.0)))
        if wrong.any():
            name = self.entity.joint_names[int(wrong.argmax())]
            raise NotSymmetric(f"the default pose of {self.entity.body.name} is not mirror-symmetric: joint {name}")

    def _link(self, link: int) -> str:
        return self._name(self.model.body, link)

    def _name(self, kind: Callable[[int], Any], number: int) -> str:
        return kind(number).name.removeprefix(f"{self.entity.name}/") or f"number {number}"


def _bodies_of_equality(model: mujoco.MjModel, number: int) -> list[int]:
    kind, objects = model.eq_type[number], (model.eq_obj1id[number], model.eq_obj2id[number])
    if kind == mujoco.mjtEq.mjEQ_JOINT:
        return [int(model.jnt_bodyid[joint]) for joint in objects if joint >= 0]
    if kind not in (mujoco.mjtEq.mjEQ_CONNECT, mujoco.mjtEq.mjEQ_WELD):
        return []
    at_sites = model.eq_objtype[number] == mujoco.mjtObj.mjOBJ_SITE
    return [int(model.site_bodyid[thing]) if at_sites else int(thing) for thing in objects]


def _bodies_of_wrap(model: mujoco.MjModel, number: int) -> list[int]:
    thing, kinds = int(model.wrap_objid[number]), mujoco.mjtWrap
    bodies = {
        int(kinds.mjWRAP_JOINT): model.jnt_bodyid,
        int(kinds.mjWRAP_SITE): model.site_bodyid,
        int(kinds.mjWRAP_SPHERE): model.geom_bodyid,
        int(kinds.mjWRAP_CYLINDER): model.geom_bodyid,
    }.get(int(model.wrap_type[number]))
    return [] if bodies is None else [int(bodies[thing])]
