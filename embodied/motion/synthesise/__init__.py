"""Synthesise: motions of our own for any quadruped with three hinges a leg, from its geometry and from physics.

From the ground up: `gaits` say when feet stand, `footfalls` where, `balance` how the centre of mass then moves,
`postures` and `jumps` what is no gait; `realise` turns any of these plans into joint angles; `repertoire` has the list.
"""

from embodied.motion.synthesise.quadruped import Quadruped, read_quadruped
from embodied.motion.synthesise.repertoire import clip_names, synthesise
from embodied.motion.synthesise.write import ROBOTS, write_clips

__all__ = ["ROBOTS", "Quadruped", "clip_names", "read_quadruped", "synthesise", "write_clips"]
