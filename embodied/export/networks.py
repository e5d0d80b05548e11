"""Networks: what a bundle's ONNX files compute, and where their inputs come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch

from embodied.export.graph import Graph
from embodied.networks import ActorCritic, RunningNormaliser
from embodied.senses import Term
from embodied.skills.ase.prior import ASEPrior

ACTION, LATENT = "action", "latent"
DECODER, HIGH_LEVEL = "decoder", "high_level"


@dataclass(frozen=True)
class Input:
    """A named input of a network."""

    name: str
    """An observation group's, or `LATENT`."""
    size: int
    terms: tuple[Term, ...] = ()
    """What it is made of; nothing for a latent."""


@dataclass(frozen=True)
class Network:
    """One ONNX file."""

    name: str
    onnx: bytes
    inputs: tuple[Input, ...]
    output: str
    """`ACTION` or `LATENT`."""
    size: int
    """Of the output."""
    every: int = 1
    """Control steps between two of its decisions."""


def policy_network(policy: ActorCritic, terms: dict[str, tuple[Term, ...]]) -> Network:
    """The mean action of a policy.

    Args:
        policy: is read, not changed.
        terms: of each observation group that its actor reads.
    """
    graph, sizes = Graph("policy"), policy.shape.actor_sizes
    graph.output(ACTION, _mean(graph, policy), policy.shape.actions)
    inputs = tuple(Input(group, sizes[group], terms[group]) for group in policy.actor.groups)
    about = "Mean action of a Gaussian policy, from observations as they are: the normaliser is inside."
    return Network("policy", graph.to_bytes(about), inputs, ACTION, policy.shape.actions)


def decoder_network(prior: ASEPrior) -> Network:
    """What turns a prior's latent, and what the robot measures, into mean actions."""
    graph, decoder = Graph(DECODER), prior.policy.decoder
    seen = []
    for group, terms in prior.observation_spec.items():
        size = sum(term.size for term in terms)
        normaliser = cast(RunningNormaliser, decoder.normalisers[group])
        seen.append(graph.normalise(graph.input(group, size), normaliser, f"{group}/normalised"))
    size = prior.policy.shape.latent
    style = graph.layers(graph.input(LATENT, size), decoder.style_trunk.layers, "Relu", "style_trunk")
    style = graph.call("Tanh", [graph.linear(style, decoder.style, "style")], "style/tanh")
    joined = graph.call("Concat", [*seen, style], "joined", axis=-1)
    mean = graph.linear(graph.layers(joined, decoder.trunk.layers, "Relu", "trunk"), decoder.mean, "mean")
    graph.output(ACTION, mean, prior.policy.shape.actions)
    inputs = [Input(name, sum(term.size for term in terms), terms) for name, terms in prior.observation_spec.items()]
    about = "Mean action of a skill, from observations as they are and a latent of unit length."
    actions = prior.policy.shape.actions
    return Network(DECODER, graph.to_bytes(about), (*inputs, Input(LATENT, size)), ACTION, actions)


def high_level_network(policy: ActorCritic, terms: dict[str, tuple[Term, ...]], every: int) -> Network:
    """What chooses a prior's latents: a policy's mean, projected as `projected` does.

    Args:
        policy: whose actions are latents.
        terms: of each observation group that its actor reads.
        every: control steps that a latent is held.
    """
    graph = Graph(HIGH_LEVEL)
    said = graph.clip(_mean(graph, policy), 1.0, "cut")
    length = graph.call("ReduceL2", [said], "length", axes=[-1], keepdims=1)
    least = graph.constant("least", 1e-6)
    direction = graph.call("Div", [said, graph.call("Max", [length, least], "divisor")], "direction")
    first = torch.zeros(policy.shape.actions)
    first[0] = 1.0
    chosen = [graph.call("Greater", [length, least], "long"), direction, graph.constant("first", first)]
    graph.output(LATENT, graph.call("Where", chosen, "chosen"), policy.shape.actions)
    inputs = tuple(Input(group, policy.shape.actor_sizes[group], terms[group]) for group in policy.actor.groups)
    about = "The latent that a high-level policy asks for in the mean, of unit length."
    return Network(HIGH_LEVEL, graph.to_bytes(about), inputs, LATENT, policy.shape.actions, every)


def _mean(graph: Graph, policy: ActorCritic) -> str:
    sizes, seen = policy.shape.actor_sizes, []
    for group in policy.actor.groups:
        normaliser = cast(RunningNormaliser, policy.normalisers[group])
        seen.append(graph.normalise(graph.input(group, sizes[group]), normaliser, f"{group}/normalised"))
    return graph.group_network(seen, policy.actor, "actor")
