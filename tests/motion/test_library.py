"""The library: exact at frames, continuous over seams, equal to closed forms between, batched, and drawn by weight."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from embodied.motion.clip import MotionError
from embodied.motion.library import MotionLibrary, slerp
from tests.motion.invented import RADIUS, TURN, circle, swinging, walk
from tests.motion.test_formats import lifelike_file


@pytest.fixture(scope="module")
def library() -> MotionLibrary:
    """A looped clip of 2 s and one of 1.18 s that ends."""
    return MotionLibrary([walk(), walk(frames=60, loop=False, name="once")], dtype=torch.float64)


def ids(values: list[int]) -> torch.Tensor:
    return torch.tensor(values)


def test_at_a_frame_it_is_that_frame(library):
    for number, clip in enumerate(library.clips):
        frames = np.arange(clip.num_frames)
        state = library.sample(torch.full((clip.num_frames,), number), torch.as_tensor(frames / clip.frame_rate))
        for field in ("root_pos", "root_quat", "root_velocity", "joint_pos", "joint_vel", "contacts"):
            # A moment that rounds to just before a frame is interpolated from the one before.
            assert np.allclose(getattr(state, field).numpy(), getattr(clip, field), atol=1e-12), field


@pytest.mark.parametrize("cycle", [-3, 0, 1, 7])
def test_a_loop_goes_on_along_its_circle_in_place_heading_and_velocity(library, cycle):
    times = np.array([0.0, 0.31, 1.99, 1.9999]) + 2.0 * cycle
    state = library.sample(torch.zeros(4, dtype=torch.long), torch.as_tensor(times))
    pos, quat = circle(times)
    # Between frames the arc is a chord.
    sagitta = RADIUS * (1 - math.cos(0.5 * TURN / 50))
    assert np.abs(state.root_pos.numpy() - pos).max() < 1.1 * sagitta + 1e-12
    assert np.abs(np.abs((state.root_quat.numpy() * quat).sum(1)) - 1).max() < 1e-12
    heading = TURN * times + 0.3
    forward = RADIUS * TURN * np.stack((np.cos(heading), np.sin(heading)), axis=1)
    assert np.abs(state.root_velocity[:, :2].numpy() - forward).max() < 1e-4
    assert np.abs(state.joint_pos.numpy() - swinging(times, 2.0)).max() < 1e-4


def test_a_loop_that_only_travels_goes_straight_on_however_long():
    clip = walk()
    straight = dataclasses.replace(clip, cycle=clip.cycle._replace(heading=0.0))
    library = MotionLibrary([straight])
    state = library.sample(ids([0]), torch.tensor([2.0 * 1e4 + 0.5], dtype=torch.float64))
    at = clip.root_pos[25] + 1e4 * np.array((clip.cycle.x, clip.cycle.y, 0.0))
    assert np.allclose(state.root_pos[0].numpy(), at, rtol=1e-6)


def test_a_clip_that_ends_stays_at_its_ends(library):
    clip = library.clips[1]
    state = library.sample(ids([1, 1, 1]), torch.tensor([-5.0, 100.0, clip.duration], dtype=torch.float64))
    assert np.array_equal(state.joint_pos.numpy(), clip.joint_pos[[0, -1, -1]])
    assert np.array_equal(state.contacts.numpy(), clip.contacts[[0, -1, -1]])


def test_contacts_are_those_of_the_nearer_frame(library):
    times = torch.tensor([0.0849, 0.0949, 0.0951])  # 50 frames a second: 4.245, 4.745, 4.755
    state = library.sample(ids([0, 0, 0]), times)
    assert np.array_equal(state.contacts.numpy(), library.clips[0].contacts[[4, 5, 5]])


def test_any_shape_of_clips_and_times_gives_what_single_ones_give(library):
    generator = torch.Generator().manual_seed(3)
    clips = torch.randint(0, 2, (5, 1), generator=generator)
    times = torch.rand(5, 4, generator=generator, dtype=torch.float64) * 9 - 3
    whole = library.sample(clips, times)
    assert whole.root_pos.shape == (5, 4, 3)
    assert whole.contacts.shape == (5, 4, 4)
    one = library.sample(clips[3, 0], times[3, 2])
    for field in dataclasses.fields(one):
        assert torch.equal(getattr(whole, field.name)[3, 2], getattr(one, field.name))


def test_slerp_turns_at_constant_speed_and_takes_the_shorter_way():
    start, end = torch.tensor([1.0, 0, 0, 0]).double(), torch.tensor([math.cos(0.6), 0, math.sin(0.6), 0]).double()
    for sign in (1.0, -1.0):
        for fraction in (0.0, 0.25, 0.9, 1.0):
            quat = slerp(start, sign * end, torch.tensor([fraction]).double())
            assert torch.allclose(
                quat, torch.tensor([math.cos(0.6 * fraction), 0, math.sin(0.6 * fraction), 0]).double()
            )
    same = slerp(start.float(), start.float(), torch.tensor([0.5]))
    assert torch.equal(same, start.float())


def test_clips_are_drawn_by_weight_and_those_without_never():
    library = MotionLibrary([walk(name=str(i)) for i in range(4)], weights=[1.0, 0.0, 3.0, 0.0])
    drawn = library.draw(20_000, torch.Generator().manual_seed(0))
    share = torch.bincount(drawn, minlength=4) / 20_000
    assert share[1] == share[3] == 0
    assert abs(float(share[2]) - 0.75) < 0.012  # four standard deviations
    others = library.draw(1000, torch.Generator().manual_seed(0), torch.tensor([0.0, 0.0, 0.0, 5.0]))
    assert (others == 3).all()
    again = library.draw(20_000, torch.Generator().manual_seed(0))
    assert torch.equal(drawn, again)


def test_without_weights_every_second_is_as_likely():
    library = MotionLibrary([walk(frames=100), walk(frames=300, name="long")])
    drawn = library.draw(20_000, torch.Generator().manual_seed(1))
    assert abs(float(drawn.double().mean()) - 0.75) < 0.012


def test_moments_lie_inside_clips_and_a_margin_before_the_end_of_those_that_end(library):
    clips = torch.tensor([0, 1]).repeat(5000)
    times = library.draw_times(clips, torch.Generator().manual_seed(2), margin=0.5)
    assert (times >= 0).all()
    assert 1.99 < times[clips == 0].max() < 2.0
    assert 0.67 < times[clips == 1].max() < library.clips[1].duration - 0.5
    none = library.draw_times(clips, torch.Generator().manual_seed(2), margin=9.0)
    assert none[clips == 1].max() == 0.0


def test_clips_of_different_robots_do_not_mix():
    other = dataclasses.replace(walk(name="other"), robot="max")
    with pytest.raises(MotionError, match="'walk' and 'other' are for different robots: the robot of one are go1"):
        MotionLibrary([walk(), other])
    with pytest.raises(MotionError, match="at least one clip"):
        MotionLibrary([])
    with pytest.raises(MotionError, match="as many weights"):
        MotionLibrary([walk()], weights=[-1.0])


def test_a_library_for_one_robot_refuses_files_of_another(tmp_path):
    from embodied.motion.formats import own

    own.write(tmp_path / "walk.npz", walk())
    assert MotionLibrary.load(tmp_path, robot="go1").names == ("walk",)
    with pytest.raises(MotionError, match="'walk' is for go1, not for max; embodied motion import --retarget max"):
        MotionLibrary.load(tmp_path, robot="max")
    with pytest.raises(MotionError, match="is a file of lifelike; embodied motion import makes clips of such files"):
        MotionLibrary.load(lifelike_file(tmp_path / "dog.txt"))
    with pytest.raises(MotionError, match="neither a file nor a folder"):
        MotionLibrary.load(tmp_path / "none")


class NothingRead(TorchDispatchMode):
    """Fails where Python is given a number out of a tensor, or a shape that hangs on numbers in one."""

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        name = str(function)
        by_mask = "index" in name and any(
            each is not None and each.dtype == torch.bool
            for each in (arguments[1] if len(arguments) > 1 and isinstance(arguments[1], list | tuple) else ())
        )
        assert not by_mask, name
        assert not any(each in name for each in ("_local_scalar_dense", "nonzero", "unique", "masked_select")), name
        return function(*arguments, **(keywords or {}))


def everything(library: MotionLibrary, generator: torch.Generator) -> torch.Tensor:
    clips = library.draw(7, generator)
    times = library.draw_times(clips, generator, margin=0.1)
    return library.sample(clips[:, None], times[:, None] + library.durations).root_pos


def test_nothing_is_read_back_while_sampling(library):
    with NothingRead():
        assert everything(library, torch.Generator().manual_seed(0)).shape == (7, 2, 3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
def test_a_cuda_device_is_never_waited_for_and_gives_the_same():
    library = MotionLibrary([walk(), walk(frames=60, loop=False, name="once")], "cuda")
    generator = torch.Generator("cuda").manual_seed(0)
    everything(library, generator)
    torch.cuda.set_sync_debug_mode("error")
    try:
        everything(library, generator)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    clips, times = torch.tensor([0, 1, 0]), torch.tensor([0.33, 7.0, 12.1], dtype=torch.float64)
    there, here = library.sample(clips.cuda(), times.cuda()), MotionLibrary(library.clips).sample(clips, times)
    assert torch.allclose(there.root_pos.cpu(), here.root_pos, atol=1e-5)
    assert torch.allclose(there.joint_vel.cpu(), here.joint_vel, atol=1e-5)
