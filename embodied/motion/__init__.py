"""Motion: clips, a library that samples them on a device, file formats, repair, retargeting and gaits of our own."""

from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.velocities import Cycle

__all__ = ["Cycle", "MotionClip", "MotionError"]
