"""The README of a bundle: what is in its manifest, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from embodied.export.scripts import scripts_of

_SOURCES = {
    "measured": "measured",
    "estimated": "**estimated**: no instrument reads it",
    "given": "given by whoever commands the robot",
}


def readme(manifest: Mapping[str, Any], vectors: Mapping[str, np.ndarray]) -> str:
    """The text, in Markdown.

    Args:
        manifest: all but its ``files``.
        vectors: the test vectors, for the example of a reading.
    """
    parts = [
        f"# {manifest['name']}",
        manifest["about"],
        _START,
        "## Once every control period",
        _loop(manifest),
        "## Readings",
        "What `observe` takes, in this order of joints: " + _joint_order(manifest) + ".",
        _readings(manifest),
        "The first of the test vectors:",
        _example(manifest, vectors),
        "## Actions",
        _action(manifest),
        "## Robot",
        _robot(manifest),
        "## Observations",
        _observations(manifest),
        *_latent(manifest),
        "## How it was made",
        _training(manifest),
        "## Files",
        _files(manifest),
    ]
    return "\n\n".join(parts) + "\n"


_START = """```bash
sha256sum --check --quiet SHA256SUMS
pip install numpy onnxruntime
python run_policy.py                # observations and actions of the test vectors, and the time of a decision
pip install mujoco
python run_policy.py --simulate     # ten seconds in MuJoCo; --give NAME NUMBER ... asks something of your own
```

Everything below is in `manifest.json` too, which `manifest.schema.json` describes field by field. `run_policy.py` is
plain numpy, a page or two: read it, or translate it to the language of the robot."""


def _loop(manifest: Mapping[str, Any]) -> str:
    timing = manifest["timing"]
    period, step = timing["control_period"], timing["simulation_period"]
    prior = ["policy.latent = policy.sample_latent(generator)   # or one of your own choice"]
    chosen = any(network["output"]["name"] == "latent" for network in manifest["networks"])
    latent = prior if manifest["latent"] and not chosen else []
    code = [
        "policy = BundledPolicy(folder)",
        "policy.reset()                              # whenever the policy takes over",
        *latent,
        "observation = policy.observe(reading)       # numpy arrays by name, see below",
        "action = policy.decide(observation)",
        "controls = policy.controls(action)          # one per actuator",
    ]
    said = (
        f"Every {1e3 * period:g} ms ({1.0 / period:g} Hz). It was trained with physics at {1e3 * step:g} ms, "
        f"{timing['simulation_steps']} steps a decision, position control computed anew at each.\n\n"
        "Bring the robot to the default pose first, slowly, with the gains below; call `reset`, then decide. After a "
        "pause of more than a few periods, reset again: the observation shows the last action"
    )
    history = max(term["history"] for network in manifest["networks"] for e in network["inputs"] for term in e["terms"])
    said += f" and {history} periods of readings." if history > 1 else "."
    return said + "\n\n```python\n" + "\n".join(code) + "\n```"


def _joint_order(manifest: Mapping[str, Any]) -> str:
    return ", ".join(f"`{joint['name']}`" for joint in manifest["robot"]["joints"])


def _readings(manifest: Mapping[str, Any]) -> str:
    rows = [
        (f"`{each['name']}`", each["size"], each["unit"], each["frame"] or "-", _SOURCES[each["source"]], each["about"])
        for each in manifest["readings"]
    ]
    return _table(("reading", "numbers", "unit", "frame", "where from", "what"), rows)


def _example(manifest: Mapping[str, Any], vectors: Mapping[str, np.ndarray]) -> str:
    lines = []
    for each in manifest["readings"]:
        values = vectors[f"reading/{each['name']}"][0, 0]
        shown = ", ".join(f"{value:.4g}" for value in values[:6]) + (", …" if len(values) > 6 else "")
        lines.append(f"{each['name']}: [{shown}]")
    return "```\n" + "\n".join(lines) + "\n```"


def _action(manifest: Mapping[str, Any]) -> str:
    action = manifest["action"]
    cut = "" if action["clip"] is None else f" Actions are first cut to ±{action['clip']:g}."
    rows = [
        (
            number,
            f"`{each['joint']}`",
            each["meaning"],
            *(f"{each[key]:.6g}" for key in ("offset", "scale", "low", "high")),
        )
        for number, each in enumerate(action["actuators"])
    ]
    table = _table(("element", "joint", "meaning", "offset", "scale", "low", "high"), rows)
    return f"The network's output is not scaled yet: {action['about']}{cut}\n\n{table}"


def _robot(manifest: Mapping[str, Any]) -> str:
    robot = manifest["robot"]
    keys = ("default", "lower", "upper", "max_velocity", "max_torque", "kp", "kd")
    rows = [
        (f"`{joint['name']}`", *("-" if joint[key] is None else f"{joint[key]:.6g}" for key in keys))
        for joint in robot["joints"]
    ]
    imu = robot["imu"]
    where = "" if imu is None else (
        f" The inertial unit is on `{imu['link']}` at {_numbers(imu['position'])} m, turned by the quaternion "
        f"{_numbers(imu['quaternion'])} (w, x, y, z)."
    )  # fmt: skip
    undriven = [joint["name"] for joint in robot["joints"] if joint["max_torque"] is None and joint["kp"] is None]
    idle = f" No actuator moves {', '.join(undriven)}: they are read all the same." if undriven else ""
    said = (
        f"{robot['name']}, {robot['mass']:.2f} kg, root link `{robot['root_link']}`; in the default pose its origin is "
        f"{robot['standing_height']:.3f} m above the ground.{where}{idle} {manifest['conventions']['frames']} Units: "
        "rad, rad/s, N·m, N·m/rad, N·m·s/rad; of slides m and N."
    )
    head = ("joint", "default", "lower", "upper", "largest speed", "largest torque", "kp", "kd")
    return f"{said}\n\n{_table(head, rows)}"


def _observations(manifest: Mapping[str, Any]) -> str:
    parts = [
        "Each number is `clip((transform(reading) - subtract) * scale, ±clip)`; the networks normalise by themselves."
        " `subtract: pose` is the default pose."
    ]
    for network in manifest["networks"]:
        for each in network["inputs"]:
            if not each["terms"]:
                continue
            rows = [
                (
                    f"{term['start']}:{term['stop']}", term["name"], f"`{term['reading']}`", term["transform"],
                    "pose" if isinstance(term["subtract"], list) else f"{term['subtract']:g}", _scale(term["scale"]),
                    "-" if term["clip"] is None else f"±{term['clip']:g}", term["history"], term["unit"],
                )
                for term in each["terms"]
            ]  # fmt: skip
            head = ("columns", "term", "reading", "transform", "subtract", "scale", "clip", "history", "unit")
            parts.append(f"Input `{each['name']}` of `{network['file']}`:\n\n{_table(head, rows)}")
    return "\n\n".join(parts)


def _scale(scale: float | Sequence[float]) -> str:
    return f"{scale:g}" if isinstance(scale, float | int) else "per element"


def _latent(manifest: Mapping[str, Any]) -> list[str]:
    latent = manifest["latent"]
    if latent is None:
        return []
    held = latent["held_steps"]
    said = f" In training one was held for {held[0]} to {held[1]} control periods." if held else ""
    return ["## Latents", f"{latent['size']} numbers. {latent['sampling']}{said}"]


def _training(manifest: Mapping[str, Any]) -> str:
    training, loop = manifest["training"], manifest["closed_loop"]
    steps = "" if training["steps"] is None else f", {training['steps']:,} environment steps"
    kept = manifest.get("return")
    full = "" if kept is None else f" Full episodes of its task, {kept['episodes']}: mean return {kept['mean']:.1f}."
    lines = [
        f"Task `{training['task']}`{steps}. From {loop['starts']} recorded starts on level ground, without noise, in "
        f"{loop['seconds']:g} s: {100 * loop['upright']:.0f} % upright at the end, mean horizontal speed "
        f"{loop['speed']:.3f} m/s.{full}",
        f"Licence of this bundle: {manifest['licence']}.",
    ]
    if training["data"]:
        lines.append("Made from these motion clips:")
        lines.append(
            _table(("clip", "licence", "source"), [(d["name"], d["licence"], d["source"]) for d in training["data"]])
        )
    else:
        lines.append("No motion data went into it.")
    lines += [f"- {note}" for note in manifest["notes"]]
    made = ", ".join(f"{library} {version}" for library, version in manifest["made_with"].items())
    return "\n\n".join([*lines, f"Made with {made}."])


def _files(manifest: Mapping[str, Any]) -> str:
    robot = manifest["robot"]
    rows = [
        *(
            (f"`{each['file']}`", f"ONNX, opset {each['opset']}, float32, any batch size")
            for each in manifest["networks"]
        ),
        *((f"`{name}`", what) for name, what in scripts_of(manifest["networks"]).items()),
        ("`manifest.json`, `manifest.schema.json`", "all of this for programs, and what its fields mean"),
        ("`test_vectors.npz`", "readings, and the observations and actions that belong to them"),
        ("`closed_loop.npz`", "starts, what was asked, and what the robot did in the framework's own simulation"),
        (f"`{robot['scene']}`, `{robot['mjcf']}`", "the robot for MuJoCo, on level ground and by itself"),
        (f"`{robot['urdf']}`", "the robot for ROS and others; the YAML beside it has what URDF cannot say"),
        ("`SHA256SUMS`", "checksums of all files"),
    ]
    return _table(("file", "what"), rows)


def _numbers(values: Sequence[float]) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in values) + ")"


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in lines)
