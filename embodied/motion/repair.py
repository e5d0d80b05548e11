"""Repair: a clip from a file is made one that its robot could do, or refused; either way with what was found.

In this order: a root that jumps; angles off by whole turns; stretches where a leg is on a wrong branch or far out of
range, which are cut off at the ends and bridged inside; the floor's height, and ends that are deep under it, which are
cut off; ranges, speeds and feet, in turn. What all of that cannot put right is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from embodied.motion.clip import MotionClip
from embodied.motion.floor import LEVEL, OFF, SUNK, TOLERATED, above, bearing, feet_lifted, floor_height, raising
from embodied.motion.glitches import Hopeless, bridged, root_jumps, slowed, unwrapped, wrong_stretches
from embodied.motion.quaternions import conjugate, multiply, rotation_vector
from embodied.motion.reach import chains
from embodied.motion.skeleton import Skeleton

Array = NDArray[np.float64]

FASTEST_ROOT, FASTEST_TURN = 10.0, 40.0
"""m/s and rad/s between two frames: no robot of ours comes near."""
OVER_LIMIT = 1.1
"""Times the largest speed, which no joint of a repaired clip exceeds."""
EDGE = 0.1
"""s: a root that jumps so near an end of the clip has it cut off there."""
LONGEST_LEAP = 0.3
"""m: what may be taken out elsewhere."""
MOST_CHANGED = 0.15
"""Share of frames that may be changed by more than `CHANGED`."""
CHANGED = 0.1
"""rad, or m."""
HIGHEST = 0.12
"""m: how far the root may be raised."""
SHORTEST = 0.3
"""s: what is left of a clip."""
ROUNDS = 4
"""Of speeds, ranges and floor, each of which may disturb the others."""


@dataclass(frozen=True)
class Verdict:
    """What became of a clip."""

    name: str
    kind: Literal["accepted", "repaired", "refused"]
    findings: tuple[str, ...]
    """Sentences: what was done, or why it is refused."""
    clip: MotionClip | None
    """None where refused."""


def repair(clip: MotionClip, skeleton: Skeleton | None) -> Verdict:
    """A clip fit for its robot, or why there is none.

    Args:
        clip: as read.
        skeleton: of its robot; None where nobody knows that robot, and little can be said of the clip.

    Raises:
        MotionError: the clip is of another robot than the skeleton.
    """
    if skeleton is not None:
        skeleton.refuse_other(clip)
    if skeleton is None:
        if found := _root_jump(clip.root_pos, clip.root_quat, clip.frame_rate):
            return Verdict(clip.name, "refused", (found,), None)
        note = f"Nothing is known of {clip.robot}: ranges, speeds and feet were not looked at."
        return Verdict(clip.name, "accepted", (note,), replace(clip, notes=(*clip.notes, note)))
    try:
        repaired, findings = _Workshop(clip, skeleton).work()
    except Hopeless as reason:
        return Verdict(clip.name, "refused", (f"{str(reason)[:1].upper()}{str(reason)[1:]}.",), None)
    if repaired is clip and not findings:
        return Verdict(clip.name, "accepted", (), clip)
    # Signs and ends of loops were put right when it was read.
    done = (*clip.notes, *findings)
    return Verdict(clip.name, "repaired" if done else "accepted", done, replace(repaired, notes=done))


def _root_jump(pos: Array, quat: Array, rate: float) -> str | None:
    speed = np.linalg.norm(np.diff(pos, axis=0), axis=1) * rate
    turn = np.linalg.norm(rotation_vector(multiply(conjugate(quat[:-1]), quat[1:])), axis=1) * rate
    for values, most, unit in ((speed, FASTEST_ROOT, "m/s"), (turn, FASTEST_TURN, "rad/s")):
        if values.max() > most:
            frame = int(values.argmax())
            return f"The root moves at {values[frame]:.0f} {unit} at {frame / rate:.2f} s."
    return None


class _Workshop:
    """One clip on its way; arrays are replaced step by step, and each step tells what it did."""

    def __init__(self, clip: MotionClip, skeleton: Skeleton) -> None:
        self.clip, self.skeleton, self.rate = clip, skeleton, clip.frame_rate
        self.pos, self.quat, self.joints = clip.root_pos, clip.root_quat, clip.joint_pos
        self.loop, self.findings = clip.loop, []
        self.limits = (skeleton.lower, skeleton.upper, skeleton.max_speed)

    def work(self) -> tuple[MotionClip, list[str]]:
        self._root_jumps()
        if found := _root_jump(self.pos, self.quat, self.rate):
            raise Hopeless(found.rstrip("."))
        self._wraps()
        self._branches()
        self._floor_level()
        self._ends()
        before = self.joints
        for _ in range(ROUNDS):
            if not (self._ranges_and_speeds() | self._feet()):
                break
        self._ranges_and_speeds()
        self._tell(before)
        self._raise_root()
        self._seam()
        return self._verified(), self.findings

    def _root_jumps(self) -> None:
        near = EDGE * self.rate
        steps = root_jumps(self.pos, self.rate)
        first = max((step + 1 for step in steps if step < near), default=0)
        last = min((step + 1 for step in steps if step >= len(self.pos) - 1 - near), default=len(self.pos))
        for step in steps:
            if not first <= step < last - 1:
                continue
            speed = np.diff(self.pos[step - 1 : step + 3], axis=0)
            leap = speed[1] - 0.5 * (speed[0] + speed[2])
            if (far := float(np.linalg.norm(leap))) > LONGEST_LEAP:
                raise Hopeless(f"the root is put {far:.2f} m away at {step / self.rate:.2f} s")
            self.pos = np.concatenate((self.pos[: step + 1], self.pos[step + 1 :] - leap))
            self.findings.append(f"A jump of the root by {100 * far:.0f} cm at {step / self.rate:.2f} s was taken out.")
        if first or last < len(self.pos):
            self._cut(first, last, "a root that jumps")

    def _wraps(self) -> None:
        self.joints, wraps = unwrapped(self.joints, *self.limits, self.rate)
        if wraps:
            self.findings.append(f"Taken out of its joints: {counted(wraps, 'jump')} by whole turns.")

    def _branches(self) -> None:
        cut_start, cut_end, bridges, longest = 0, len(self.joints), 0, 0.0
        stretches: list[tuple[list[int], int, int]] = []
        for columns in chains(self.skeleton):
            lower, upper, speed = (limit[columns] for limit in self.limits)
            found = wrong_stretches(self.joints[:, columns], lower, upper, speed, self.rate)
            stretches += [(columns, *each) for each in found]
        # What begins or ends a clip has nothing on its other side to be bridged to.
        for _, start, stop in stretches:
            if start <= 1:
                cut_start = max(cut_start, stop)
            if stop >= len(self.joints) - 1:
                cut_end = min(cut_end, start)
        for columns, start, stop in stretches:
            if start < cut_start or stop > cut_end:
                continue
            try:
                self.joints = self.joints.copy()
                self.joints[:, columns] = bridged(self.joints[:, columns], start, stop, self.rate)
            except Hopeless as reason:
                raise Hopeless(f"{self._named(columns)} {reason}") from None
            bridges, longest = bridges + 1, max(longest, (stop - start) / self.rate)
        if cut_start or cut_end < len(self.joints):
            self._cut(cut_start, cut_end, "joints on a wrong branch")
        if bridges:
            self.findings.append(
                f"{counted(bridges, 'stretch')} of up to {longest:.2f} s with a leg on a wrong branch: bridged."
            )

    def _floor_level(self) -> None:
        if not self.skeleton.soles:
            return
        height = floor_height(self._bottoms())
        if abs(height) > LEVEL:
            self.pos = self.pos - (0.0, 0.0, height)
            what = "above" if height > 0 else "under"
            self.findings.append(f"Its floor, {100 * abs(height):.1f} cm {what} 0, was moved to 0.")

    def _ends(self) -> None:
        bottom = self.skeleton.bottom(self.pos, self.quat, self.joints, feet=False)
        start, stop = above(bottom, self.rate)
        if start or stop < len(bottom):
            self._cut(start, stop, f"parts of it up to {-100 * bottom.min():.0f} cm under the floor")

    def _cut(self, start: int, stop: int, why: str) -> None:
        kept = max(0, stop - start)
        if kept < max(2, SHORTEST * self.rate):
            raise Hopeless(f"next to nothing of it is without {why}")
        gone = (len(self.joints) - kept) / self.rate
        self.pos, self.quat, self.joints = (each[start:stop] for each in (self.pos, self.quat, self.joints))
        self.loop = False
        self.findings.append(f"{gone:.2f} s at its ends, with {why}, were cut off.")

    def _ranges_and_speeds(self) -> bool:
        lower, upper, speed = self.limits
        held = np.clip(self.joints, lower, upper)
        try:
            held, slow = slowed(held, speed, self.rate)
        except Hopeless as reason:
            raise Hopeless(f"its joints {reason}") from None
        changed = bool(slow) or bool((held != self.joints).any())
        self.joints = held
        return changed

    def _feet(self) -> bool:
        if not self.skeleton.soles:
            return False
        self.joints, lifted = feet_lifted(self.skeleton, self.pos, self.quat, self.joints, self._bottoms())
        return bool(lifted.any())

    def _tell(self, before: Array) -> None:
        """What `_ranges_and_speeds` and `_feet` did to the joints, in sum."""
        lower, upper, speed = self.limits
        out = np.maximum(np.maximum(lower - before, before - upper), 0.0)
        if (out > 0.0).any():
            frames = int((out > 0.0).any(axis=1).sum())
            self.findings.append(
                f"Joints up to {out.max():.2f} rad out of range were held to it in {counted(frames, 'frame')}."
            )
        fast = np.abs(np.diff(before, axis=0)) * self.rate
        if (fast > speed).any():
            frames = int((fast > speed).any(axis=1).sum())
            self.findings.append(
                f"Joints too fast in {counted(frames, 'frame')}, at up to {fast.max():.0f} rad/s, were slowed."
            )
        if self.skeleton.soles:
            low = self.skeleton.foot_bottoms(self.pos, self.quat, before)
            if (under := low < -SUNK - TOLERATED).any():
                frames = counted(int(under.any(axis=1).sum()), "frame")
                self.findings.append(
                    f"Feet up to {-100 * low.min():.1f} cm under the floor were lifted to it in {frames}."
                )
        changed = (np.abs(self.joints - before) > CHANGED).any(axis=1).mean()
        if changed > MOST_CHANGED:
            raise Hopeless(f"{100 * changed:.0f} % of its frames would have to be changed")

    def _raise_root(self) -> None:
        bottom = self.skeleton.bottom(self.pos, self.quat, self.joints)
        rise = raising(bottom, self.rate)
        if rise.max(initial=0.0) > HIGHEST:
            raise Hopeless(f"it is {-100 * bottom.min():.0f} cm under the floor and cannot be lifted out of it")
        if rise.any():
            self.pos = self.pos + np.stack((0 * rise, 0 * rise, rise), axis=1)
            self.findings.append(
                f"It was raised by up to {100 * rise.max():.1f} cm where something else than feet was under the floor."
            )

    def _seam(self) -> None:
        if not self.loop:
            return
        step = np.abs(self.joints[0] - self.joints[-1]) * self.rate
        if (step > OVER_LIMIT * self.skeleton.max_speed).any():
            self.loop = False
            self.findings.append("Its ends do not meet at a speed that joints can have: it plays once.")

    def _verified(self) -> MotionClip:
        contacts = None
        if self.skeleton.soles:
            feet = self.skeleton.feet(self.pos, self.quat, self.joints)
            contacts = bearing(feet, self._bottoms(), self.rate)
        unchanged = np.array_equal(self.joints, self.clip.joint_pos) and np.array_equal(self.pos, self.clip.root_pos)
        whole = self.clip.foot_names == self.skeleton.foot_names and self.loop == self.clip.loop
        repaired = self.clip if unchanged and whole else self._made(contacts)
        if faults := shortcomings(repaired, self.skeleton):
            raise Hopeless("after all repairs " + " and ".join(faults))
        return repaired

    def _made(self, contacts: NDArray[np.bool_] | None) -> MotionClip:
        return MotionClip.from_poses(
            self.clip.name,
            self.clip.robot,
            self.rate,
            self.pos,
            self.quat,
            self.clip.joint_names,
            self.joints,
            foot_names=self.skeleton.foot_names,
            contacts=contacts,
            loop=self.loop,
            cycle=self.clip.cycle if self.loop else None,
            licence=self.clip.licence,
            source=self.clip.source,
        )

    def _bottoms(self) -> Array:
        return self.skeleton.foot_bottoms(self.pos, self.quat, self.joints)

    def _named(self, columns: list[int]) -> str:
        names = [self.skeleton.joint_names[column] for column in columns]
        return f"the joints {', '.join(names)}" if len(names) > 1 else f"the joint {names[0]}"


def counted(number: int, what: str) -> str:
    """A number with what it counts, in the plural where it is not one."""
    return f"{number} {what}" if number == 1 else f"{number} {what}{'es' if what.endswith('ch') else 's'}"


def shortcomings(clip: MotionClip, skeleton: Skeleton) -> list[str]:
    """What a clip has that its robot cannot do, each a part of a sentence; empty where all is well.

    Args:
        clip: of that robot.
        skeleton: the robot's.
    """
    found = []
    if jump := _root_jump(clip.root_pos, clip.root_quat, clip.frame_rate):
        found.append(jump[:1].lower() + jump[1:].rstrip("."))
    steps = np.abs(np.diff(clip.joint_pos, axis=0)) * clip.frame_rate
    over = np.maximum(np.abs(clip.joint_vel).max(axis=0), steps.max(axis=0)) / skeleton.max_speed
    if over.max(initial=0.0) > OVER_LIMIT:
        joint = int(over.argmax())
        found.append(f"{clip.joint_names[joint]} moves at {over[joint]:.2f} times its largest speed")
    out = np.maximum(skeleton.lower - clip.joint_pos, clip.joint_pos - skeleton.upper).max(axis=0, initial=-np.inf)
    if out.size and out.max() > 1e-6:
        joint = int(out.argmax())
        found.append(f"{clip.joint_names[joint]} is {out[joint]:.2f} rad out of its range")
    if skeleton.soles:
        low = skeleton.foot_bottoms(clip.root_pos, clip.root_quat, clip.joint_pos)
        if low.min() < -OFF - TOLERATED:
            foot = skeleton.foot_names[int(low.min(axis=0).argmin())]
            found.append(f"{foot} is {-100 * low.min():.1f} cm under the floor")
        if (height := floor_height(low)) > 5 * OFF:
            found.append(f"it is {100 * height:.0f} cm above the floor most of the time")
    return found
