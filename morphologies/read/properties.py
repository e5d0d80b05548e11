"""Properties: what a YAML beside a robot file says of its joints and contacts that the file itself cannot say."""

from __future__ import annotations

from dataclasses import fields
from typing import TypeVar

import mujoco

from morphologies.develop import Root
from morphologies.read.overrides import ContactProperties, JointProperties, Overrides, matching, unmatched
from morphologies.read.trim import HINGE, SLIDE

Properties = TypeVar("Properties", JointProperties, ContactProperties)


def properties_for(name: str, given: dict[str, Properties], kind: type[Properties]) -> Properties:
    """What is said of a name, later patterns over earlier ones."""
    found = {}
    for pattern, said in given.items():
        if matching((pattern,), [name]):
            found |= {f.name: v for f in fields(said) if (v := getattr(said, f.name)) is not None}
    return kind(**found)


def lost_names(spec: mujoco.MjSpec, overrides: Overrides) -> str | None:
    """A sentence on the first names that the robot does not have; None where it has all."""
    joints = [joint.name for joint in spec.joints if joint.type in (HINGE, SLIDE)]
    links = [body.name for body in spec.bodies[1:]]
    excluded = tuple(name for pair in overrides.exclude for name in pair)
    for patterns, names, what in (
        (tuple(overrides.joints), joints, "joint"),
        (tuple(overrides.contacts), links, "link"),
        (excluded, links, "link"),
    ):
        if lost := unmatched(patterns, names):
            return f"names {', '.join(lost)}, which matches no {what}; it has {', '.join(names) or 'none'}"
    return None


def set_properties(spec: mujoco.MjSpec, overrides: Overrides, root: Root) -> None:
    """Writes them into the joints but the root's and the solid geoms of a spec, and adds its excludes."""
    base = spec.worldbody.first_body()
    for joint in spec.joints:
        if joint.type not in (HINGE, SLIDE) or (root != "fixed" and joint.parent == base):
            continue
        said = properties_for(joint.name, overrides.joints, JointProperties)
        if said.armature is not None:
            joint.armature = said.armature
        if said.stiffness is not None:
            joint.stiffness = [said.stiffness, 0.0, 0.0]
        if said.rest is not None:
            joint.springref = said.rest
        if said.limit_solref is not None:
            joint.solref_limit = said.limit_solref
        if said.limit_solimp is not None:
            joint.solimp_limit = said.limit_solimp
    for geom in spec.geoms:
        if not (geom.contype or geom.conaffinity):
            continue
        touches = properties_for(geom.parent.name, overrides.contacts, ContactProperties)
        for field in fields(touches):
            if (value := getattr(touches, field.name)) is not None:
                setattr(geom, field.name, value)
    for one, two in overrides.exclude:
        spec.add_exclude(bodyname1=one, bodyname2=two)
