"""How near a bundle must come to the framework."""

from __future__ import annotations

TOLERANCES = {
    "observation": 1e-6,
    "action": 1e-5,
    "joint_pos": 1e-3,
    "closed_loop": 0.02,
    "decision": 1e-3,
}
"""Of observations and actions; of joint positions over the first half second, rad or m; of the share upright and, as a
part of it, of the mean speed after the whole time and of the mean return; of a decision at the 99th percentile, s."""
