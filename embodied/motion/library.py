"""MotionLibrary: many clips of one robot on one device, sampled at any time for all worlds at once.

All frames lie end to end in flat tensors, and clips are stretches of them. A looped clip has one frame more there than
in its file: its first, moved by a cycle, so that sampling knows no seam. Nothing here waits for the device, and nothing
loops over worlds or clips.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from embodied.motion.clip import MotionClip, MotionError
from embodied.motion.files import read_clips
from embodied.motion.quaternions import from_yaw, hemisphere_continuous, rotate
from embodied.motion.velocities import moved


@dataclass(frozen=True)
class MotionState:
    """What a robot does at some moments of some clips; … is the shape that was asked for."""

    root_pos: Tensor
    """(…, 3) m, in the clip's world."""
    root_quat: Tensor
    """(…, 4) w, x, y, z, root to world; of a quaternion and its negative either may come."""
    root_velocity: Tensor
    """(…, 6) Linear in the world's frame, m/s; angular in the root's own, rad/s."""
    joint_pos: Tensor
    """(…, J) rad, or m for a slide."""
    joint_vel: Tensor
    """(…, J) rad/s, or m/s."""
    contacts: Tensor
    """(…, F) bool: which feet bear on the ground."""


class MotionLibrary:
    """Clips by number; immutable."""

    def __init__(
        self,
        clips: Sequence[MotionClip],
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        weights: Sequence[float] | None = None,
    ) -> None:
        """Copies the clips to the device.

        Args:
            clips: of one robot, with the same joints and feet.
            device: where they go.
            dtype: of what is sampled.
            weights: how likely each clip is drawn; their durations by default.

        Raises:
            MotionError: there are none, they are of different robots, or weights do not fit.
        """
        _refuse_mixed(clips)
        self.clips = tuple(clips)
        self.names = tuple(clip.name for clip in clips)
        """(C)"""
        self.robot, self.joint_names, self.foot_names = clips[0].robot, clips[0].joint_names, clips[0].foot_names
        self.device, self.dtype = torch.device(device), dtype
        chosen = [clip.duration for clip in clips] if weights is None else [float(weight) for weight in weights]
        if len(chosen) != len(clips) or not all(0 <= w < math.inf for w in chosen) or not sum(chosen) > 0:
            raise MotionError(f"{len(clips)} clips need as many weights, none negative and not all 0, not {chosen}")
        closed = [_closed(clip) for clip in clips]
        frames, contacts = (np.concatenate([each[i] for each in closed]) for i in range(2))
        self._frames = torch.as_tensor(frames, dtype=dtype, device=self.device)
        """Each a row: place, orientation and velocity of the root, positions and velocities of joints."""
        self._contacts = torch.as_tensor(contacts, device=self.device)
        last = np.array([len(each[0]) for each in closed]) - 1
        start = np.concatenate(([0], np.cumsum(last + 1)[:-1]))
        heading = [math.remainder(clip.cycle.heading, math.tau) for clip in clips]
        rows = [
            (begin, end, clip.frame_rate, clip.loop, *clip.cycle[:2], turn, *clip.root_pos[0, :2])
            for begin, end, clip, turn in zip(start, last, clips, heading, strict=True)
        ]
        # Moments are reckoned with in double precision: after an hour, single precision is half a frame off.
        self._clips = torch.tensor(np.array(rows, dtype=np.float64), device=self.device)
        """Of each: its first row of frames, its last frame's number among its own, frames in a second, whether it is
        looped, what a cycle adds (x, y, heading), and where it begins (x, y)."""
        self.durations = self._double([clip.duration for clip in clips])
        """(C,) s."""
        self.looped = torch.tensor([clip.loop for clip in clips], device=self.device)
        """(C,)"""
        self._cumulative = torch.cumsum(self._double(chosen), dim=0)

    @classmethod
    def load(
        cls, places: str | Path | Sequence[str | Path], device: torch.device | str = "cpu", robot: str | None = None
    ) -> MotionLibrary:
        """A library of our own motion files.

        Args:
            places: folders, files, or the name of a robot that clips ship for.
            device: where they go.
            robot: whom they must be for.

        Raises:
            MotionError: there are none, one cannot be read, or one is for another robot.
        """
        clips = read_clips(places)
        for clip in clips:
            if robot is not None and clip.robot != robot:
                raise MotionError(
                    f"motion clip {clip.name!r} is for {clip.robot}, not for {robot}; "
                    f"embodied motion import --retarget {robot} fits it to {robot}"
                )
        return cls(clips, device)

    def __len__(self) -> int:
        """How many clips."""
        return len(self.clips)

    def index(self, name: str) -> int:
        """The number of a clip.

        Raises:
            MotionError: there is none of that name.
        """
        if name not in self.names:
            raise MotionError(f"there is no motion clip {name!r}; there are {', '.join(self.names)}")
        return self.names.index(name)

    def sample(self, clip_ids: Tensor, times: Tensor) -> MotionState:
        """What the robot does; times before a clip and after it are its ends, or other cycles where it is looped.

        Places and joints are interpolated linearly, orientations along the shorter way at constant speed, velocities
        linearly; contacts are those of the nearer frame.

        Args:
            clip_ids: (…) integers from 0 to C - 1.
            times: (…) s from a clip's beginning, of the same shape or one that broadcasts.
        """
        clip_ids, times = torch.broadcast_tensors(clip_ids, times)
        clips = self._clips[clip_ids]
        start, last, rate, looped, *cycle = clips.unbind(-1)
        at = times.double() * rate
        cycles = torch.floor(at / last) * looped
        at = torch.minimum(torch.clamp(at - cycles * last, min=0.0), last)
        before = torch.minimum(torch.floor(at), last - 1.0)
        fraction = (at - before).to(self.dtype)[..., None]
        first = (start + before).long()
        here, there = self._frames[first], self._frames[first + 1]
        frame = torch.lerp(here, there, fraction)
        joints = len(self.joint_names)
        pos, _, velocity, joint_pos, joint_vel = frame.split((3, 4, 6, joints, joints), dim=-1)
        quat = slerp(here[..., 3:7], there[..., 3:7], fraction)
        contacts = self._contacts[first + (fraction[..., 0] >= 0.5)]
        pos, quat, velocity = self._cycled(cycles, cycle, pos, quat, velocity)
        return MotionState(pos, quat, velocity, joint_pos, joint_vel, contacts)

    def draw(self, count: int, generator: torch.Generator, weights: Tensor | None = None) -> Tensor:
        """(count,) Clips at random, by their weights.

        Args:
            count: how many.
            generator: on the library's device.
            weights: (C,) in place of the library's own, none negative and not all 0; this is not looked at.
        """
        cumulative = self._cumulative if weights is None else torch.cumsum(weights.double(), dim=0)
        at = torch.rand(count, dtype=torch.float64, device=self.device, generator=generator) * cumulative[-1]
        # Rounded up to the sum itself, a draw would lie beyond the last clip that has any weight.
        at = torch.minimum(at, torch.nextafter(cumulative[-1], torch.zeros_like(cumulative[-1])))
        return torch.searchsorted(cumulative, at, right=True)

    def draw_times(self, clip_ids: Tensor, generator: torch.Generator, margin: float = 0.0) -> Tensor:
        """(…) Moments at random, s: evenly over each clip.

        Args:
            clip_ids: (…) the clips.
            generator: on the library's device.
            margin: that long before its end no moment lies, s, but in looped clips, which have none.
        """
        span = torch.where(self.looped, self.durations, torch.clamp(self.durations - margin, min=0.0))[clip_ids]
        return torch.rand(span.shape, dtype=torch.float64, device=self.device, generator=generator) * span

    def _cycled(
        self, cycles: Tensor, cycle: Sequence[Tensor], pos: Tensor, quat: Tensor, velocity: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Poses and velocities a number of cycles later: turned about where the clip begins, and moved."""
        x, y, heading, origin_x, origin_y = cycle
        turn = cycles * heading
        # Travel turns with every cycle: the sum of n unit vectors that turn by h each is one of length
        # sin(n h / 2) / sin(h / 2) at the angle (n - 1) h / 2.
        straight = heading.abs() < 1e-9
        length = torch.where(
            straight, cycles, torch.sin(0.5 * turn) / torch.sin(torch.where(straight, 1.0, 0.5 * heading))
        )
        shift_x, shift_y = turned(x, y, 0.5 * (turn - heading))
        from_x, from_y = turned(pos[..., 0] - origin_x, pos[..., 1] - origin_y, turn)
        ahead, aside = from_x + origin_x + length * shift_x, from_y + origin_y + length * shift_y
        pos = torch.stack((ahead.to(self.dtype), aside.to(self.dtype), pos[..., 2]), dim=-1)
        cosine, sine = torch.cos(0.5 * turn).to(self.dtype), torch.sin(0.5 * turn).to(self.dtype)
        w, i, j, k = quat.unbind(-1)
        quat = torch.stack(
            (cosine * w - sine * k, cosine * i - sine * j, cosine * j + sine * i, cosine * k + sine * w), dim=-1
        )
        along, across = turned(velocity[..., 0], velocity[..., 1], turn.to(self.dtype))
        return pos, quat, torch.cat((along[..., None], across[..., None], velocity[..., 2:]), dim=-1)

    def _double(self, values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self.device)


def slerp(start: Tensor, end: Tensor, fraction: Tensor) -> Tensor:
    """(…, 4) Orientations a (…, 1) fraction of the shorter way from one to another, at constant speed."""
    end = torch.where((start * end).sum(-1, keepdim=True) < 0.0, -end, end)
    # The angle from the chord is exact where the two are close, which is where the cosine is blind.
    angle = 2.0 * torch.asin(torch.clamp(0.5 * torch.linalg.vector_norm(end - start, dim=-1, keepdim=True), max=1.0))
    sine = torch.sin(angle)
    close = angle < 1e-4
    safe = torch.where(close, 1.0, sine)
    one = torch.where(close, 1.0 - fraction, torch.sin((1.0 - fraction) * angle) / safe)
    other = torch.where(close, fraction, torch.sin(fraction * angle) / safe)
    return torch.nn.functional.normalize(one * start + other * end, dim=-1)


def turned(x: Tensor, y: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    """(…) twice: horizontal vectors turned by angles, rad."""
    cosine, sine = torch.cos(angle), torch.sin(angle)
    return cosine * x - sine * y, sine * x + cosine * y


def _closed(clip: MotionClip) -> tuple[np.ndarray, np.ndarray]:
    """(T', 13 + 2 J) Root and joints, and (T', F) contacts, with the first frame again at a loop's end."""
    pos, quat, velocity = clip.root_pos, clip.root_quat, clip.root_velocity
    joints, contacts = np.concatenate((clip.joint_pos, clip.joint_vel), axis=1), clip.contacts
    if clip.loop:
        end, turn = moved(pos[:1], quat[:1], pos[0], clip.cycle)
        linear = rotate(from_yaw(clip.cycle.heading), velocity[:1, :3])
        pos, quat = np.concatenate((pos, end)), hemisphere_continuous(np.concatenate((quat, turn)))
        velocity = np.concatenate((velocity, np.concatenate((linear, velocity[:1, 3:]), axis=1)))
        joints, contacts = np.concatenate((joints, joints[:1])), np.concatenate((contacts, contacts[:1]))
    return np.concatenate((pos, quat, velocity, joints), axis=1), contacts


def _refuse_mixed(clips: Sequence[MotionClip]) -> None:
    if not clips:
        raise MotionError("a motion library needs at least one clip")
    first = clips[0]
    for clip in clips:
        for what, mine, theirs in (
            ("the robot", first.robot, clip.robot),
            ("the joints", first.joint_names, clip.joint_names),
            ("the feet", first.foot_names, clip.foot_names),
        ):
            if mine != theirs:
                raise MotionError(
                    f"motion clips {first.name!r} and {clip.name!r} are for different robots: {what} of one "
                    f"are {mine}, of the other {theirs}"
                )
