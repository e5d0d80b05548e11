"""Consistency: what a schema cannot say of a manifest: that its parts fit one another, and no number is absurd."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from embodied.export.errors import BundleError

LAST_ACTION, LATENT, ACTION = "last_action", "latent", "action"
SHORTEST, LONGEST = 1e-4, 1.0
"""s: control periods."""
MOST_STEPS = 1000
"""Of simulation in a control period, and of a term's history."""
WIDEST = 1 << 20
"""Numbers of an input or a reading."""


def refuse_inconsistent(manifest: Mapping[str, Any], where: str) -> None:
    """Raises BundleError for a manifest, fit by its schema, whose parts do not fit together; it names the first."""
    wrong = next(_wrongs(manifest), None)
    if wrong is not None:
        raise BundleError(where, f"does not fit together: {wrong}")


def _wrongs(manifest: Mapping[str, Any]) -> Iterator[str]:
    timing, networks, actuators = manifest["timing"], manifest["networks"], manifest["action"]["actuators"]
    period, steps = timing["control_period"], timing["simulation_steps"]
    if not SHORTEST <= period <= LONGEST:
        yield f"timing.control_period is {period:g} s; expected are {SHORTEST:g} to {LONGEST:g}"
    if not 1 <= steps <= MOST_STEPS or abs(steps * timing["simulation_period"] - period) > 1e-6 * period:
        yield f"timing.simulation_steps is {steps:g}: so many simulation periods are no control period"
    for each in actuators:
        if each["scale"] == 0 or not each["low"] <= each["high"]:
            yield f"the actuator {each['name']} has a scale of 0, or a low end above its high one"
    sizes = {each["name"]: each["size"] for each in manifest["readings"]}
    if any(size > WIDEST for size in sizes.values()):
        yield f"a reading has more than {WIDEST:,} numbers"
    if (about := manifest["action"]["about_reading"]) is not None and sizes.get(about) != len(actuators):
        yield f"action.about_reading is {about}, which is no reading with a number for each actuator"
    known = {*sizes, LAST_ACTION}
    for network in networks:
        for given in network["inputs"]:
            yield from _input_wrongs(f"{network['name']}.{given['name']}", given, known)
    latent = manifest["latent"]["size"] if manifest["latent"] else None
    for network in networks:
        told = [(each["name"], each["size"]) for each in (*network["inputs"], network["output"])]
        if any(name == LATENT and size != latent for name, size in told):
            yield f"the network {network['name']} has a latent of another size than latent.size"
    *before, last = [network["output"] for network in networks]
    if last["name"] != ACTION or last["size"] != len(actuators) or any(each["name"] == ACTION for each in before):
        yield "the last network, and no other, is to give an action with a number for each actuator"


def _input_wrongs(name: str, given: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    terms = given["terms"]
    if not terms and given["name"] != LATENT:
        yield f"the input {name} is no latent, and made of nothing"
    if not terms:
        return
    ends = [0, *(term["stop"] for term in terms)]
    starts = [*(term["start"] for term in terms), given["size"]]
    if starts != ends or given["size"] > WIDEST or any(low >= high for low, high in pairwise(ends)):
        yield f"the terms of the input {name} do not lie side by side and fill it"
    for term in terms:
        if strange := {term["reading"], *term["also"]} - known:
            yield f"the term {term['name']} is made of {min(strange)}, which is no reading"
        each, rest = divmod(term["stop"] - term["start"], term["history"])
        if rest or term["history"] > MOST_STEPS:
            yield f"the term {term['name']} is no history of {term['history']:g} control steps"
        if any(isinstance(term[key], list) and len(term[key]) != each for key in ("subtract", "scale")):
            yield f"the term {term['name']} has another number of elements than its subtract or scale"
