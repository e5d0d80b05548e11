"""Learning with a leading members axis: many policies trained as one, and the learner for GPU trainings."""

from embodied.learning.stacked.trainer import StackedTrainer
from embodied.learning.stacked.update import StackedConfig

__all__ = ["StackedConfig", "StackedTrainer"]
