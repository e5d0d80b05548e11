"""Learning on a par: PPO here and Stable-Baselines3's on Gymnasium's own tasks, the experiment of docs/results.md.

    .venv/bin/python launch/learning.py [FOLDER] [--who ours theirs] [--tasks Ant-v5 ...] [--seeds 0 1 ...]

Trains what is not in the folder yet, one training after another on one thread, then prints the table and draws the
curves. All of it takes two hours of one core; two of these commands with different ``--who`` or ``--tasks`` may share a
folder. Needs the extra ``bench``. Stop it whenever you like: finished trainings stay, the one under way begins again.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from matplotlib.figure import Figure

from embodied.envs.foreign import ONLY_GROUP, ForeignEnv
from embodied.learning.evaluate import mean_actor
from embodied.learning.ppo import PPOConfig
from embodied.learning.trainer import Trainer
from embodied.networks import PolicyConfig
from embodied.report.style import ACCENT, CALM, Picture, draw, shorten

TASKS, SEEDS, WHO = ("Ant-v5", "HalfCheetah-v5"), tuple(range(5)), ("theirs", "ours")
NAMES = {"ours": "embodied", "theirs": "Stable-Baselines3"}
COLOURS = {"ours": ACCENT, "theirs": CALM}
STEPS = 1_000_000
EPISODES = 20
"""Full ones, acted by the policy's mean, after training."""
EVALUATION_SEED = 10_000
"""Of the first of these episodes; the others follow."""
WORLDS, ROLLOUT, MINIBATCH, EPOCHS = 16, 128, 128, 10
"""Stable-Baselines3's 2,048 samples a rollout and 10 epochs, in 16 environments; minibatches twice its 64."""
BINS = 25
"""Points of a curve."""
GAMMA, LAMBDA, CLIP, LEARNING_RATE = 0.99, 0.95, 0.2, 3e-4
ENTROPY, VALUE, GRADIENT_NORM, HIDDEN = 0.0, 0.5, 0.5, (64, 64)
HIDDEN_GAIN, ACTION_GAIN = math.sqrt(2), 0.01
"""Stable-Baselines3's defaults, as those above: constant rate, unclipped values, no stop by KL, tanh."""

Act = Callable[[np.ndarray], np.ndarray]
"""From observations (n, o) to mean actions (n, a)."""
Learned = tuple[Act, list[tuple[int, float]]]
"""How to act, and each finished training episode's end in environment steps and its return."""


def learn_theirs(task: str, seed: int, steps: int) -> Learned:
    """Trains Stable-Baselines3's PPO; observations and rewards normalised by its own wrapper, as its users do."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

    episodes: list[tuple[int, float]] = []

    class Note(BaseCallback):
        def _on_step(self) -> bool:
            ended = [info["episode"]["r"] for info in self.locals["infos"] if "episode" in info]
            episodes.extend((self.num_timesteps, float(total)) for total in ended)
            return True

    env = VecNormalize(DummyVecEnv([lambda: Monitor(gymnasium.make(task))] * WORLDS), gamma=GAMMA)
    model = PPO(
        "MlpPolicy",
        env,
        n_steps=ROLLOUT,
        batch_size=MINIBATCH,
        n_epochs=EPOCHS,
        gamma=GAMMA,
        gae_lambda=LAMBDA,
        clip_range=CLIP,
        learning_rate=LEARNING_RATE,
        ent_coef=ENTROPY,
        vf_coef=VALUE,
        max_grad_norm=GRADIENT_NORM,
        policy_kwargs={"net_arch": {"pi": list(HIDDEN), "vf": list(HIDDEN)}},
        seed=seed,
        device="cpu",
    )
    model.learn(steps, callback=Note())
    return lambda rows: model.predict(env.normalize_obs(rows), deterministic=True)[0], episodes


class NotingEnv(ForeignEnv):
    """What `embodied.make` gives for a foreign name, and it writes down when episodes ended and with what return."""

    def __init__(self, name: str, num_worlds: int) -> None:
        super().__init__(name, num_worlds)
        self.made = 0
        self.episodes: list[tuple[int, float]] = []

    def step(self, actions: torch.Tensor) -> tuple[Any, ...]:
        """See `ForeignEnv.step`."""
        outcome = super().step(actions)
        self.made += len(actions)
        self.episodes += [(self.made, total) for total in outcome[-1]["episode"]["return"].tolist()]
        return outcome


def learn_ours(task: str, seed: int, steps: int) -> Learned:
    """Trains PPO of this framework, through its door for foreign environments."""
    env = NotingEnv(f"gymnasium:{task}", WORLDS)
    config = PPOConfig(
        rollout_steps=ROLLOUT,
        minibatch=MINIBATCH,
        epochs=EPOCHS,
        gamma=GAMMA,
        gae_lambda=LAMBDA,
        clip=CLIP,
        value_clip=math.inf,
        learning_rate=LEARNING_RATE,
        final_learning_rate=LEARNING_RATE,
        entropy_coefficient=ENTROPY,
        value_coefficient=VALUE,
        max_gradient_norm=GRADIENT_NORM,
        kl_stop=math.inf,
    )
    policy = PolicyConfig(hidden=HIDDEN, hidden_gain=HIDDEN_GAIN, action_gain=ACTION_GAIN)
    trainer = Trainer(env, config, steps, seed, policy)
    while not trainer.finished:
        trainer.iterate()
    env.close()
    mean = mean_actor(trainer.policy)

    @torch.no_grad()
    def act(rows: np.ndarray) -> np.ndarray:
        return mean({ONLY_GROUP: torch.as_tensor(rows, dtype=torch.float32)}).numpy()

    return act, env.episodes


LEARN = {"theirs": learn_theirs, "ours": learn_ours}


def final_returns(task: str, act: Act, episodes: int = EPISODES) -> list[float]:
    """Of full episodes in Gymnasium's own environment, one seed each."""
    envs = [gymnasium.make(task) for _ in range(episodes)]
    low, high = envs[0].action_space.low, envs[0].action_space.high  # type: ignore[attr-defined]
    rows = np.stack([env.reset(seed=EVALUATION_SEED + i)[0] for i, env in enumerate(envs)])
    returns, running = np.zeros(episodes), np.ones(episodes, dtype=bool)
    while running.any():
        actions = np.clip(act(rows), low, high)
        for i in running.nonzero()[0]:
            rows[i], reward, terminated, truncated, _ = envs[i].step(actions[i])
            returns[i] += float(reward)
            running[i] = not (terminated or truncated)
    for env in envs:
        env.close()
    return returns.tolist()


def train(folder: Path, who: str, task: str, seed: int, steps: int) -> None:
    """One training and its evaluation, kept in a file; nothing to do where that is there."""
    file = folder / f"{who}-{task}-{seed}.json"
    if file.exists():
        return
    began = time.process_time()
    act, episodes = LEARN[who](task, seed, steps)
    seconds = time.process_time() - began
    found = {
        "steps": steps,
        "seconds": round(seconds, 1),
        "returns": final_returns(task, act),
        "episodes": [(step, round(total, 2)) for step, total in episodes],
    }
    half = file.with_suffix(".half")
    half.write_text(json.dumps(found))
    half.replace(file)
    print(f"{file.name}: {np.mean(found['returns']):,.0f}, {seconds:,.0f} s of processor time", flush=True)


def interquartile_mean(values: np.ndarray) -> np.ndarray:
    """(…) Mean of the middle half of (…, n) values; those at the quartiles count by their part inside."""
    count = values.shape[-1]
    ends = np.arange(count + 1).clip(count / 4, 3 * count / 4)
    return np.sort(values, axis=-1) @ np.diff(ends) / (count / 2)


def interval(values: np.ndarray, resamples: int = 10_000) -> tuple[float, float]:
    """95 % percentile-bootstrap interval of the interquartile mean of (n,) values, seeds drawn with replacement."""
    draws = np.random.default_rng(0).choice(values, (resamples, len(values)))
    low, high = np.percentile(interquartile_mean(draws), [2.5, 97.5])
    return float(low), float(high)


def on_par(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Whether ours (n,) is not below theirs (m,) by more than half of their interval."""
    low, high = interval(theirs)
    return bool(interquartile_mean(ours) >= interquartile_mean(theirs) - (high - low) / 2)


Results = dict[str, dict[str, dict[int, dict[str, Any]]]]
"""What `train` kept, by task, who and seed."""


def results(folder: Path, tasks: Sequence[str], seeds: Sequence[int]) -> Results:
    """Of the trainings that are finished."""
    files = {(t, who, seed): folder / f"{who}-{t}-{seed}.json" for t in tasks for who in WHO for seed in seeds}
    found: Results = {task: {who: {} for who in WHO} for task in tasks}
    for (task, who, seed), file in files.items():
        if file.exists():
            found[task][who][seed] = json.loads(file.read_text())
    return found


def scores(trainings: dict[int, dict[str, Any]]) -> np.ndarray:
    """(seeds,) Mean final return of each training."""
    return np.array([np.mean(training["returns"]) for training in trainings.values()])


def show(found: Results) -> None:
    """The table: a row for each task and learner, and whether ours is on a par."""
    print("| task | learner | each seed | interquartile mean | 95 % interval | on a par |")
    print("|---|---|---|---|---|---|")
    for task, by_who in found.items():
        for who, trainings in by_who.items():
            if not trainings:
                continue
            final = scores(trainings)
            low, high = interval(final)
            both = who == "ours" and trainings.keys() == by_who["theirs"].keys()
            verdict = ("yes" if on_par(final, scores(by_who["theirs"])) else "no") if both else ""
            cells = [task, NAMES[who], ", ".join(f"{each:,.0f}" for each in final)]
            cells += [f"{interquartile_mean(final):,.0f}", f"{low:,.0f} to {high:,.0f}", verdict]
            print(f"| {' | '.join(cells)} |")


def curve(training: dict[str, Any], bins: int = BINS) -> np.ndarray:
    """(bins,) Mean return of the training episodes that ended in each equal part of the steps; nan where none did."""
    at, totals = np.array(training["episodes"]).T
    part = np.minimum(at * bins // training["steps"], bins - 1).astype(int)
    ended = np.bincount(part, minlength=bins)
    with np.errstate(invalid="ignore"):
        return np.bincount(part, totals, bins) / np.where(ended, ended, np.nan)


def picture(found: Results) -> Picture:
    """All curves: each training thin, the interquartile mean over seeds thick."""

    def paint(figure: Figure) -> None:
        for axes, (task, by_who) in zip(figure.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
            for who, trainings in by_who.items():
                if not trainings:
                    continue
                curves = np.stack([curve(training) for training in trainings.values()])
                steps = (np.arange(BINS) + 0.5) / BINS * next(iter(trainings.values()))["steps"]
                axes.plot(steps, curves.T, color=COLOURS[who], linewidth=0.7, alpha=0.4)
                middle = interquartile_mean(curves.T)
                axes.plot(steps, middle, color=COLOURS[who], label=f"{NAMES[who]} × {len(trainings)}")
            axes.set_title(task, loc="left")
            axes.set_xlabel("environment steps")
            axes.set_ylabel("return of training episodes")
            axes.legend(loc="upper left")
            shorten(axes)

    return Picture("learning", "Learning on a par", "", paint, (10.4, 3.6))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("runs/learning"))
    parser.add_argument("--who", nargs="*", choices=WHO, default=WHO, help="none: only the table and the curves")
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--steps", type=int, default=STEPS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.folder.mkdir(parents=True, exist_ok=True)
    for seed in given.seeds:
        for task in given.tasks:
            for who in given.who:
                train(given.folder, who, task, seed, given.steps)
    everything = results(given.folder, given.tasks, given.seeds)
    show(everything)
    print(draw(picture(everything), given.folder))
