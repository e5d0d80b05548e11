"""Networks: multilayer perceptrons, action distributions, normalisers, and the policies made of them."""

from embodied.networks.distributions import Gaussian
from embodied.networks.normaliser import RunningNormaliser
from embodied.networks.policy import ActorCritic, Memory, Policy, PolicyConfig, PolicyShape

__all__ = ["ActorCritic", "Gaussian", "Memory", "Policy", "PolicyConfig", "PolicyShape", "RunningNormaliser"]
