"""What befalls one member is nobody else's business, and a host never looks at the device."""

import warnings
from unittest.mock import patch

import numpy as np
import pytest
import torch

from embodied.learning.ppo import PPOConfig, TrainingDiverged
from embodied.learning.stacked import StackedConfig, StackedTrainer
from embodied.learning.stacked.report import Report
from embodied.networks import PolicyConfig
from embodied.testing import device_rules
from embodied.testing.device_rules import DeviceRules
from tests.learning.stacked.drift import Beside, Drift

CONFIG = PPOConfig(rollout_steps=12, minibatch=20, epochs=3, learning_rate=3e-3)
SMALL = PolicyConfig(hidden=(16, 12))
HAS_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU: CUDA graphs exist only there")


def training(members=3, config=CONFIG, **changes):
    env = Beside([Drift(4) for _ in range(members)], range(members))
    return StackedTrainer(env, config, 6 * 48, range(members), SMALL, **changes)


def rows(trainer, member):
    """Everything that a member learned."""
    ppo, policies = trainer.ppo, trainer.policies
    state = {**ppo.member_state(member), **policies.member_state(member)}
    return {name: tensor.clone() for name, tensor in state.items()}


def same(one, other):
    return all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_member_that_diverges_is_frozen_and_leaves_the_others_alone(value):
    spoiled, whole = training(), training()
    for trainer in (spoiled, whole):
        trainer.iterate()
        trainer.iterate()
    before = {n: tensor for n, tensor in rows(spoiled, 1).items() if not n.startswith(("scaler", "learning_rate"))}
    spoiled.env.envs[1].poison[2] = value
    for _ in range(3):
        metrics = spoiled.iterate()
        whole.iterate()
        assert spoiled.diverged == [False, True, False]
        assert metrics["members"] == 2
        assert all(np.isfinite(number) for number in metrics.values())
        learned = {name: tensor for name, tensor in rows(spoiled, 1).items() if name in before}
        assert same(learned, before)
        for member in (0, 2):
            assert same(rows(spoiled, member), rows(whole, member))
            assert spoiled.member_metrics[member] == whole.member_metrics[member]
    assert torch.isfinite(spoiled.experience.actions).all()


def test_a_diverged_member_stays_diverged_after_a_resumption():
    spoiled = training()
    spoiled.iterate()
    spoiled.env.envs[1].poison[2] = float("nan")
    spoiled.iterate()
    again = training()
    again.load_state(*spoiled.state())
    assert again.diverged == [False, True, False]
    again.iterate()
    assert again.diverged == [False, True, False]


def test_training_ends_where_no_member_is_left():
    trainer = training(members=1)
    trainer.iterate()
    trainer.env.envs[0].poison[0] = float("nan")
    with pytest.raises(TrainingDiverged, match="finite"):
        trainer.iterate()


def test_each_member_adapts_its_own_learning_rate():
    config = PPOConfig(rollout_steps=12, minibatch=20, epochs=3, learning_rate=1e-3, kl_target=0.01)
    trainer = training(config=config)
    trainer.iterate()
    for _ in range(4):
        before = trainer.ppo.learning_rate.clone()
        trainer.iterate()
        ratio = torch.log(trainer.ppo.learning_rate / before) / np.log(1.5)
        np.testing.assert_allclose(ratio, ratio.round(), atol=1e-4)
    assert len(set(trainer.ppo.learning_rate.tolist())) > 1
    again = training(config=config)
    again.load_state(*trainer.state())
    assert torch.equal(again.ppo.learning_rate, trainer.ppo.learning_rate)


@pytest.fixture
def reads(monkeypatch):
    """Lets reports alone read from a device where nothing else may, and counts them."""
    read, found = Report.read, []

    def counted(report):
        found.append(report)
        with patch.object(device_rules, "READS", frozenset()):
            return read(report)

    monkeypatch.setattr(Report, "read", counted)
    return found


@pytest.mark.parametrize("members", [1, 3])
def test_an_iteration_reads_from_the_device_once(members, reads):
    trainer = training(members)
    trainer.iterate()  # finds out what the environment's figures are called
    with DeviceRules("cpu"):
        for _ in range(2):
            trainer.iterate()
    assert len(reads) == 3


def test_nothing_else_is_read_in_an_iteration_with_a_device_environment(reads):
    pytest.importorskip("mujoco_warp", reason="needs the extra gpu")
    from tests.envs.on_device import autoreset

    env = autoreset(4, 12)
    trainer = StackedTrainer(env, PPOConfig(rollout_steps=8, minibatch=8, epochs=2), 4 * 16, [0, 1])
    trainer.iterate()
    with DeviceRules("cpu"):
        trainer.iterate()
        metrics = trainer.iterate()
    assert len(reads) == 3
    assert metrics["episode/length"] == 12
    assert metrics["updates"] == 4
    env.close()


def test_a_minibatch_update_works_on_the_same_memory_every_time():
    """What a CUDA graph needs: it holds addresses, not tensors."""
    trainer = training()

    def addresses():
        ppo = trainer.ppo
        tensors = [*ppo._moved, *ppo._rows.values(), ppo._moving, ppo._sums, ppo.updates, ppo.learning_rate]
        tensors += [trainer.experience.samples, ppo._spoiled, *trainer.policies.parameters.values()]
        return [tensor.data_ptr() for tensor in tensors]

    before = addresses()
    for _ in range(3):
        trainer.iterate()
    trainer.load_state(*trainer.state())
    assert addresses() == before


def test_an_idle_minibatch_update_changes_nothing():
    """Recording a CUDA graph runs it a few times."""
    trainer = training()
    for _ in range(3):
        trainer.iterate()
    ppo = trainer.ppo
    before = [rows(trainer, member) for member in range(3)]
    kept = [tensor.clone() for tensor in (ppo._sums, ppo.updates, ppo._moving, ppo._spoiled, ppo.learning_rate)]
    with ppo._idle():
        for index in ppo._rows.values():
            ppo._step(index)
    assert all(same(rows(trainer, member), before[member]) for member in range(3))
    for now, then in zip((ppo._sums, ppo.updates, ppo._moving, ppo._spoiled, ppo.learning_rate), kept, strict=True):
        assert torch.equal(now, then)


def on_gpu(graph, matmul="float32", members=2):
    env = Drift(4 * members, device="cuda")
    return StackedTrainer(env, CONFIG, 6 * 48, range(members), SMALL, StackedConfig(matmul, graph))


@HAS_GPU
def test_a_graph_gives_what_the_same_update_gives_without():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph, plain = on_gpu(True), on_gpu(False)
        for _ in range(4):
            graph.iterate()
            plain.iterate()
    assert all(step.recorded for step in graph.ppo._steps.values())
    for member in range(2):
        for name, value in rows(plain, member).items():
            np.testing.assert_allclose(rows(graph, member)[name].cpu(), value.cpu(), rtol=1e-5, atol=1e-6)


@HAS_GPU
def test_an_iteration_on_a_gpu_waits_for_it_once():
    trainer = on_gpu(True)
    for _ in range(3):
        trainer.iterate()
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            trainer.iterate()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert len([each for each in caught if "synchroniz" in str(each.message)]) == 1


@HAS_GPU
def test_tf32_changes_little():
    exact, rounded = on_gpu(True), on_gpu(True, "tf32")
    for _ in range(3):
        exact.iterate()
        rounded.iterate()
    np.testing.assert_allclose(rounded.policies.flat.cpu(), exact.policies.flat.cpu(), atol=0.02)
