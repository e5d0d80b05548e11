"""An evolution too short to learn anything, with everything that a long one has."""

from embodied.evolution.configuration import EvolveConfig
from embodied.evolution.ledger import Outcome
from embodied.learning.ppo import PPOConfig

SMALL = EvolveConfig(
    lifetimes=5,
    population=2,
    steps=512,
    worlds=8,
    episodes=2,
    workers=1,
    seed=3,
    ppo=PPOConfig(rollout_steps=16, minibatch=64, epochs=1),
)

MEASURES = {"distance": 1.0, "speed": 0.1, "energy": 5.0, "cost_of_transport": 0.5, "stands": 0.0, "stands_pushed": 0.0}


def outcome(fitness=1.0, limbs=4, height=0.5, **changes):
    """What a lifetime gave."""
    figures = {
        "fitness": fitness,
        "fitness_std": 0.1,
        "fitness_low": fitness - 0.1,
        "fitness_high": fitness + 0.1,
        "derl_fitness": None,
        "budget": 4096,
        "environment_steps": 4096,
        "stopped_at_rung": None,
        "unhealthy_episodes": 0,
        "description": {"mass": 10.0, "limbs": limbs, "height": height},
        "measures": MEASURES,
        "versions": {"mujoco": "3"},
        "curve": [(2048, None, None, None), (4096, 3.0, 4.0, 100.0)],
        "evaluation": [(1.0, 2.0, 1000), (1.5, 2.5, 900)],
        "stints": 1,
        "wall_seconds": 1.0,
        "cpu_seconds": 1.0,
    }
    return Outcome(**{**figures, **changes})
