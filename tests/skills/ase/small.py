"""A pre-training of two clips in a few worlds, small enough for tests."""

from pathlib import Path

from embodied.envs import make
from embodied.motion.library import MotionLibrary
from embodied.skills.ase.config import ASEConfig
from embodied.skills.ase.trainer import ASETrainer
from embodied.skills.motion_task import MotionTask

CLIPS = Path(__file__).parents[3] / "assets" / "motions" / "go1"
CONFIG = ASEConfig(
    latent=3,
    longest_skill=6,
    window=4,
    hidden=(16, 16),
    style_hidden=(8,),
    style=4,
    discriminator_hidden=(16, 8),
    rollout_steps=8,
    epochs=2,
    minibatch=16,
    discriminator_minibatch=16,
    discriminator_steps=2,
    replay_size=30,
    replay_added=12,
    clip_windows=50,
)


def library():
    """Trot and stand."""
    return MotionLibrary.load([CLIPS / "trot.npz", CLIPS / "stand.npz"])


def task(steps=12, reference_starts=0.6):
    """With short episodes, so that their ends are met within a test."""
    made = MotionTask(library(), reference_starts)
    made.episode_steps = steps
    return made


def trainer(seed=0, iterations=6, worlds=6, config=CONFIG, env_seed=0):
    """A training from its beginning."""
    env = make(task(), "go1", worlds, seed=env_seed, threads=1)
    return ASETrainer(env, config, iterations * worlds * config.rollout_steps, seed)
