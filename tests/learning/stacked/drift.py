"""Points that drift the way they are pushed: a `VectorEnv` on any device, in both of the forms there are.

Smooth, so that rounding does not grow from step to step, and with all that learners must get right: several observation
groups, one of them ``privileged``; episodes that end by failing, by a time limit, and both in one step; resets within
the step.
"""

from collections.abc import Mapping
from types import MappingProxyType

import gymnasium
import numpy as np
import torch

from embodied.envs.device_episodes import EpisodeFigures, LookedUpEpisodes


def box(size):
    return gymnasium.spaces.Box(-np.inf, np.inf, (size,), np.float32)


class ListedDrift:
    """W points in the plane. They fail further than ``edge`` from the goal and are cut off at ``limit`` steps.

    Episodes that ended are listed, as the CPU's environments do it.
    """

    control_dt = 0.1
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,))
    observation_space = gymnasium.spaces.Dict({"proprio": box(4), "goal": box(2), "privileged": box(3)})

    def __init__(self, num_worlds, seed=0, limit=7, edge=1.4, device="cpu"):
        self.num_worlds, self.episode_steps, self.edge = num_worlds, limit, edge
        self.device = torch.device(device)
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.episode_length = torch.zeros(num_worlds, dtype=torch.int64, device=self.device)
        self.made = torch.zeros_like(self.episode_length)
        self.sums = torch.zeros(2, num_worlds, dtype=torch.float64, device=self.device)
        self.poison = torch.zeros(num_worlds, device=self.device)
        """Added to rewards."""

    def draw(self):
        place = torch.rand(self.num_worlds, 8, generator=self.generator, device=self.device) * 2 - 1
        return {"position": place[:, :2], "velocity": place[:, 2:4], "goal": place[:, 4:6], "wind": place[:, 5:8]}

    def show(self):
        s = self.points
        return {
            "proprio": torch.cat((s["position"], 3 * s["velocity"] + 1), dim=1),
            "goal": s["goal"] - s["position"],
            "privileged": s["wind"] * 5,
        }

    def reset(self, seed=None):
        if seed is not None:
            self.generator.manual_seed(seed)
        self.points = self.draw()
        self.episode_length.zero_()
        self.made.zero_()
        self.sums.zero_()
        return self.show(), {}

    def step(self, actions):
        s = self.points
        velocity = 0.9 * s["velocity"] + 0.2 * torch.tanh(actions) + 0.02 * s["wind"][:, :2]
        self.points = s = {**s, "velocity": velocity, "position": s["position"] + 0.3 * velocity}
        distance = (s["goal"] - s["position"]).square().sum(dim=1)
        terms = {"near": 1.0 - distance, "effort": -0.05 * actions.square().sum(dim=1)}
        reward = terms["near"] + terms["effort"] + self.poison
        self.sums += torch.stack(list(terms.values()))
        self.episode_length += 1
        self.made += 1
        terminated = distance > self.edge**2
        truncated = (self.episode_length >= self.episode_steps) & ~terminated
        finished = terminated | truncated
        last, length, sums = self.show(), self.made.clone(), self.sums.clone()
        fresh = self.draw()
        self.points = {name: torch.where(finished[:, None], fresh[name], value) for name, value in s.items()}
        self.episode_length.masked_fill_(finished, 0)
        self.made.masked_fill_(finished, 0)
        self.sums.masked_fill_(finished, 0.0)
        info = {"final_obs": last, "terms": terms, "unhealthy": torch.zeros_like(finished)}
        figures = EpisodeFigures(finished, sums.sum(dim=0), length, {"near": sums[0], "effort": sums[1]}, {})
        return self.show(), reward, terminated, truncated, info | self.ended(figures)

    def ended(self, figures):
        worlds = figures.finished.nonzero().squeeze(-1)
        terms = {name: total[worlds] for name, total in figures.terms.items()}
        listed = {"world": worlds, "return": figures.returns[worlds], "length": figures.lengths[worlds]}
        return {"episode": {**listed, "terms": terms, "metrics": {}}}

    def state_dict(self):
        own = {"generator": self.generator.get_state(), "age": self.episode_length, "made": self.made}
        return own | {"sums": self.sums} | self.points

    def load_state_dict(self, state):
        self.generator.set_state(state["generator"].cpu())
        self.episode_length.copy_(state["age"])
        self.made.copy_(state["made"])
        self.sums.copy_(state["sums"])
        self.points = {name: state[name].to(self.device).clone() for name in ("position", "velocity", "goal", "wind")}
        return self.show()

    def close(self):
        pass


class Drift(ListedDrift):
    """A `WaitlessEnv`."""

    counters = MappingProxyType({})

    def judge(self, counts=None):
        pass

    def ended(self, figures):
        return {"episode": LookedUpEpisodes(figures, self.judge), **figures.entries()}


class Beside:
    """Environments with the same spaces as one, the worlds of each following those of the one before.

    Ages can be read, and are written to the parts.
    """

    def __init__(self, envs, seeds):
        """``seeds``: what each is reset to, whatever `reset` is given."""
        self.envs, self.seeds = envs, seeds
        self.each = envs[0].num_worlds
        self.num_worlds = self.each * len(envs)
        self.episode_steps = envs[0].episode_steps
        self.observation_space, self.action_space = envs[0].observation_space, envs[0].action_space
        self.control_dt, self.device = envs[0].control_dt, envs[0].device

    @property
    def episode_length(self):
        return torch.cat([env.episode_length for env in self.envs])

    def reset(self, seed=None):
        return joined([env.reset(own)[0] for env, own in zip(self.envs, self.seeds, strict=True)]), {}

    def step(self, actions):
        steps = [env.step(part) for env, part in zip(self.envs, actions.split(self.each), strict=True)]
        observations, rewards, terminated, truncated, infos = zip(*steps, strict=True)
        infos = [dict(info) for info in infos]
        listed = [info.pop("episode") for info in infos]
        info = joined(infos)
        if "finished" in info:
            named = (info[f"episode_{name}"] for name in ("return", "length", "terms", "metrics"))
            info["episode"] = LookedUpEpisodes(EpisodeFigures(info["finished"], *named), lambda: None)
        else:
            shifts = range(0, self.num_worlds, self.each)
            info["episode"] = joined([{**e, "world": e["world"] + n} for n, e in zip(shifts, listed, strict=True)])
        return joined(observations), torch.cat(rewards), torch.cat(terminated), torch.cat(truncated), info

    def state_dict(self):
        states = [env.state_dict() for env in self.envs]
        return {f"{i}/{name}": value for i, state in enumerate(states) for name, value in state.items()}

    def load_state_dict(self, state):
        parts = []
        for i, env in enumerate(self.envs):
            own = {n.removeprefix(f"{i}/"): value for n, value in state.items() if n.startswith(f"{i}/")}
            parts.append(env.load_state_dict(own))
        return joined(parts)

    def close(self):
        pass


def joined(parts):
    """Dictionaries of tensors, however deep, as one, tensors one after the other."""
    first = parts[0]
    if isinstance(first, Mapping):
        return {name: joined([part[name] for part in parts]) for name in first}
    return torch.cat(list(parts))
