"""ONNX graphs against the torch networks that they were written from."""

import onnx
import onnxruntime
import pytest
import torch

from embodied.export.networks import policy_network
from embodied.networks import ActorCritic, PolicyShape
from embodied.senses import Term


def of(groups, actor_groups=()):
    generator = torch.Generator().manual_seed(1)
    policy = ActorCritic(PolicyShape(groups, 4, hidden=(16, 8), actor_groups=actor_groups), generator)
    policy.update_normalisers({n: 3.0 + 2.0 * torch.randn(200, s, generator=generator) for n, s in groups.items()})
    terms = {name: (Term(name, size, "1", 1.0),) for name, size in groups.items()}
    return policy, policy_network(policy, terms)


@pytest.mark.parametrize(
    ("groups", "read"),
    [({"policy": 9}, ()), ({"policy": 9, "goal": 3}, ()), ({"policy": 9, "privileged": 5}, ("policy",))],
)
@pytest.mark.parametrize("batch", [1, 7])
def test_a_graph_gives_the_mean_action_for_any_batch(groups, read, batch):
    policy, network = of(groups, read)
    session = onnxruntime.InferenceSession(network.onnx)
    # Far out, too: the normalisers' limits belong to the network.
    seen = {name: 40.0 * torch.randn(batch, size) for name, size in policy.shape.actor_sizes.items()}
    assert [each.name for each in session.get_inputs()] == list(seen)
    assert [each.name for each in session.get_outputs()] == ["action"]
    (action,) = session.run(None, {name: group.numpy() for name, group in seen.items()})
    with torch.no_grad():
        torch.testing.assert_close(torch.from_numpy(action), policy(seen)[0].mean, atol=1e-5, rtol=0)


def test_the_same_network_is_written_to_the_same_bytes_and_states_its_opset():
    (_, one), (_, other) = of({"policy": 9}), of({"policy": 9})
    assert one.onnx == other.onnx
    model = onnx.load_model_from_string(one.onnx)
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 17)]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
