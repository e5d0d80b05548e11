"""``embodied eval``: returns over full episodes, with confidence intervals. It never trains."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from tyro.conf import Positional

from embodied.cli.actors import Given, actor_for, resolve
from embodied.cli.arguments import parse
from embodied.cli.bundled import bundled
from embodied.cli.output import refuse_no_file, write_json
from embodied.cli.pretrain_imitate import is_imitation, tracked
from embodied.envs import is_foreign, make
from embodied.export.manifest import is_bundle
from embodied.learning.evaluate import evaluate
from embodied.runs.errors import UserError
from embodied.runs.table import aligned


@dataclass(frozen=True)
class Eval(Given):
    """Evaluate."""

    runs: Positional[tuple[Path, ...]] = ()
    """Training runs, lifetimes' folders, evolutions, whose best body is taken, or bundles; several are compared."""
    episodes: int = 32
    """Full episodes of each, mean action."""
    device: str = "cpu"
    """Where the worlds are simulated: cpu; cuda, or cuda:1 and so on; or warp-cpu."""
    json: Path | None = None
    """Write the figures to this file too."""


def run(arguments: list[str]) -> None:
    """The command."""
    given = parse("eval", Eval, arguments, "Returns over full episodes, with confidence intervals.")
    if given.episodes < 1:
        raise UserError(f"--episodes must be at least 1, not {given.episodes}")
    if given.json:
        refuse_no_file(given.json)
    torch.set_num_threads(1)
    if any(is_imitation(path) for path in given.runs):
        evaluate_imitations(given)
        return
    rows = [("run", "body", "return", "95 % interval", "fitness", "length")]
    figures = {}
    said = [("run", "metric", "mean", "95 % interval")]
    for path in given.runs or (None,):
        subject, acting = bundled(given, path) if path and is_bundle(path) else (resolve(given, path), None)
        env = make(subject.task, subject.body, given.episodes, given.device)
        actor = acting(env) if acting and given.policy == "trained" else actor_for(given, subject, env)
        result = evaluate(env, actor, given.seed)
        summary = result.summary()
        total = summary["return"]
        term = None if is_foreign(subject.task) else env.env.task.fitness_term
        fitness = summary[term] if term else total
        env.close()
        name = str(path) if path else given.policy
        body = subject.body.name if subject.body else None
        figures[name] = {"task": subject.task, "body": body, **summary, "returns": result.returns}
        rows.append(
            (
                name,
                body or subject.task,
                f"{total['mean']:,.1f} ± {total['std']:,.1f}",
                f"{total['low']:,.1f} to {total['high']:,.1f}",
                f"{fitness['mean']:,.1f} ± {fitness['std']:,.1f}",
                f"{summary['length']['mean']:,.0f}",
            )
        )
        said += [
            (name, metric, f"{values['mean']:,.3f}", f"{values['low']:,.3f} to {values['high']:,.3f}")
            for metric in summary["metrics"]
            for values in [summary[metric]]
        ]
    print(aligned(rows))
    for name, each in figures.items():
        if each["unhealthy"]:
            print(f"{name}: the physics failed, or a sense left its limits, in {each['unhealthy']} episodes")
    if len(said) > 1:
        print(f"\n{aligned(said)}\n")
    print(f"{given.episodes} full episodes each, mean ± standard deviation over them; the interval is the mean's.")
    if given.json:
        write_json(given.json, figures)


def evaluate_imitations(given: Eval) -> None:
    """Tracks every clip once, from its beginning, for each of the runs."""
    if given.policy != "trained" or not all(is_imitation(path) for path in given.runs):
        raise UserError("imitations are evaluated by their own policies and apart from other runs: name them alone")
    figures = {}
    for path in given.runs:
        result = tracked(path)
        figures[str(path)] = result.as_dict()
        print(f"{path}\n{result}\n")
    if given.json:
        write_json(given.json, figures)
