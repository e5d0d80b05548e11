"""Networks: multilayer perceptrons, action distributions, normalisers, and the policies made of them."""

from embodied.networks.distributions import Gaussian
from embodied.networks.normaliser import RunningNormaliser
from embodied.networks.policy import ActorCritic, Memory, Policy, PolicyShape

__all__ = ["ActorCritic", "Gaussian", "Memory", "Policy", "PolicyShape", "RunningNormaliser"]
