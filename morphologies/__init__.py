"""Bodies: genomes and their mutation, development into MuJoCo models, constraints and descriptors."""

from morphologies.body import Body, UnknownBody, body_from_genome, body_names, find_body, register_body
from morphologies.constraints import violation
from morphologies.describe import Description, describe
from morphologies.develop import Root, develop
from morphologies.genome import Genome, GenomeError, Hinge, Limb, canonical, groups, limb_count
from morphologies.mutate import OPERATORS, Mutation, MutationFailed, apply_operator, mutate
from morphologies.population import initial_population, random_genome, shape_key
from morphologies.read import RobotError, read_robot
from morphologies.robots import robot_names
from morphologies.serialise import fingerprint, from_json, read_genome, to_json
from morphologies.unimal import SPLAYED, UNIMAL, DesignSpace

__all__ = [
    "OPERATORS",
    "SPLAYED",
    "UNIMAL",
    "Body",
    "Description",
    "DesignSpace",
    "Genome",
    "GenomeError",
    "Hinge",
    "Limb",
    "Mutation",
    "MutationFailed",
    "RobotError",
    "Root",
    "UnknownBody",
    "apply_operator",
    "body_from_genome",
    "body_names",
    "canonical",
    "describe",
    "develop",
    "find_body",
    "fingerprint",
    "from_json",
    "groups",
    "initial_population",
    "limb_count",
    "mutate",
    "random_genome",
    "read_genome",
    "read_robot",
    "register_body",
    "robot_names",
    "shape_key",
    "to_json",
    "violation",
]
