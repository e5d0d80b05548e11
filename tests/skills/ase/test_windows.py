"""Windows of clips and worlds, and how near they are to each other, against the library and loops."""

import pytest
import torch

from embodied.envs import make
from embodied.skills.ase.repertoire import Repertoire
from embodied.skills.ase.windows import ClipWindows, LatestWindows
from tests.skills.ase.small import task


@pytest.fixture(scope="module")
def env():
    made = make(task(steps=40, reference_starts=0.5), "go1", 12, threads=1)
    yield made
    made.close()


@pytest.fixture(scope="module")
def clips(env):
    return ClipWindows(env.env.task, 4, env.control_dt)


def test_a_window_is_what_the_clip_does_at_the_pace_of_the_environment(clips):
    windows = clips.ending_at(torch.tensor([0, 1]), torch.tensor([1.234, 0.5]))
    assert windows.shape == (2, 4, 49)
    for number, end in enumerate((1.234, 0.5)):
        for step in range(4):
            at = torch.tensor(end - 0.02 * (3 - step), dtype=torch.float64)
            frame = clips.task.style_of(clips.library.sample(torch.tensor(number), at))
            assert torch.allclose(windows[number, step], frame.float(), rtol=1e-4, atol=1e-5)


def test_windows_at_random_lie_within_their_clips(clips, monkeypatch):
    asked = []
    monkeypatch.setattr(clips, "ending_at", lambda numbers, times: asked.append((numbers, times)))
    clips.draw(2000, torch.Generator().manual_seed(0))
    ((numbers, times),) = asked
    assert set(numbers.tolist()) == {0, 1}
    begins = times - clips.span
    assert float(begins.min()) >= -1e-9
    assert bool((begins <= clips.library.durations[numbers] + 1e-9).all())


def test_every_window_covers_clips_from_end_to_end(clips):
    windows, numbers = clips.every(0.1)
    durations = clips.library.durations.tolist()
    counts = torch.bincount(numbers).tolist()
    assert counts == pytest.approx([d / 0.1 for d in durations], abs=2)
    first = clips.ending_at(torch.tensor([0]), torch.tensor([clips.span]))
    assert torch.allclose(windows[:1], first, rtol=1e-4, atol=1e-5)


def test_episodes_that_begin_in_a_clip_have_its_past_and_others_stand_still(env, clips):
    observation, _ = env.reset(seed=4)
    style, memory = observation["style"], env.env.task.memory
    latest = LatestWindows(clips, style, (memory["clip"], memory["clip_time"]))
    past = clips.ending_at(memory["clip"], memory["clip_time"])
    inside = (past[:, -1] - style).abs().amax(dim=-1) < 1e-3
    assert 0 < int(inside.sum()) < 12
    assert torch.allclose(latest.frames[inside], past[inside], atol=1e-3)
    assert torch.equal(latest.frames[~inside], style[~inside, None].expand(-1, 4, -1))
    frames = [style]
    for _ in range(4):
        frames.append(env.step(torch.zeros(12, 12))[0]["style"])
        latest.push(frames[-1])
    assert torch.equal(latest.frames, torch.stack(frames[-4:], dim=1))
    begun = torch.tensor([3, 7])
    latest.begin(begun, frames[0][begun], (memory["clip"][begun] * 0, torch.tensor([0.3, 0.4])))
    assert torch.equal(latest.frames[0], torch.stack(frames[-4:], dim=1)[0])
    assert torch.equal(latest.frames[begun, -1], frames[0][begun])


def test_distance_is_the_root_mean_square_over_kinds_in_units_of_their_spread():
    generator = torch.Generator().manual_seed(0)
    windows = torch.randn(300, 4, 5, generator=generator) * torch.tensor([1.0, 1.0, 1.0, 20.0, 20.0])
    kinds = {"small": slice(0, 3), "large": slice(3, 5)}
    repertoire = Repertoire(windows, torch.arange(300) % 3, ("a", "b", "c"), kinds)
    one, two = windows[10].double(), windows[20].double()
    total = 0.0
    for place in kinds.values():
        values = windows[..., place].reshape(1200, -1).double()
        spread = (values - values.mean(0)).square().mean().sqrt()
        total += float(((one - two)[:, place] / spread).square().mean()) / 2
    found = torch.dist(repertoire.point(windows[10]), repertoire.point(windows[20]))
    assert float(found) == pytest.approx(total**0.5, rel=1e-5)
    pairs = torch.cdist(repertoire.points[:150], repertoire.points[150:]).square().mean().sqrt()
    assert float(pairs) == pytest.approx(2**0.5, rel=0.02)
    assert torch.allclose(repertoire.windows_of(repertoire.points), windows, rtol=1e-4, atol=1e-5)


def test_a_clip_is_found_only_where_all_of_it_is(clips, env):
    repertoire = Repertoire.of(clips, env.observation_spec)
    trot, stand = (repertoire.points[repertoire.clips == number] for number in (0, 1))
    whole = repertoire.to_clips(trot)
    assert float(whole[0]) < 0.01
    assert float(whole[1]) > 0.3
    once = repertoire.to_clips(trot[:1])
    loop = torch.stack([(point - trot[0]).norm() for point in trot]).mean()
    assert float(once[0]) == pytest.approx(float(loop), abs=0.02)
    table = repertoire.between_clips()
    assert torch.allclose(table[:, 0], whole)
    distance, nearest = repertoire.nearest(torch.cat((trot[3:5], stand[:1])))
    assert nearest.tolist() == [0, 0, 1]
    assert float(distance.max()) < 0.01
