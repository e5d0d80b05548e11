"""Opening: a bundle as something that decides and moves, for whoever got it from somebody.

Nothing of a bundle is ever executed: `run_policy` and what goes with it are the framework's own, whatever files of
these names lie there.
Networks are looked through and the MJCF is met by a child process before any library is let at them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mujoco
import numpy as np

from embodied.export.arrays import read_arrays
from embodied.export.errors import BundleError
from embodied.export.manifest import read_bundle
from morphologies.read import Overrides, RobotError
from morphologies.read.child import gathered_in_child
from morphologies.read.compile import quiet

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from embodied.export.run_policy import BundledPolicy
    from embodied.export.simulate import Simulation


@dataclass(frozen=True)
class OpenBundle:
    """A bundle whose checksums, schema, networks and MJCF are sound."""

    where: str
    """What errors call it."""
    manifest: dict[str, Any]
    files: dict[str, bytes]
    """Those that the manifest lists, by path."""
    others: list[str]
    """Paths of files that it does not."""
    policy: BundledPolicy
    simulation: Simulation

    def arrays(self, path: str) -> dict[str, np.ndarray]:
        """Those of one of its files.

        Raises:
            BundleError: there is no such file, or it holds no finite numbers.
        """
        if path not in self.files:
            raise BundleError(self.where, f"lists no {path}")
        return read_arrays(self.files[path], f"{self.where}/{path}")


def open_bundle(folder: Path, name: str | None = None) -> OpenBundle:
    """Opens a bundle.

    Args:
        folder: of the bundle.
        name: what errors call it; its path by default.

    Raises:
        BundleError: the first thing that is wrong with it, or a library that is missing.
    """
    refuse_missing()
    from embodied.export.run_policy import BundledPolicy
    from embodied.export.simulate import Simulation

    where = name or str(folder)
    manifest, files, others = read_bundle(folder)
    try:
        sessions_of(manifest, files, where)
        material = gathered_in_child(folder / manifest["robot"]["scene"], folder, Overrides(), None)
        with quiet():
            model = mujoco.MjModel.from_xml_string(material.text, material.files)
        policy = BundledPolicy(folder)
        return OpenBundle(where, manifest, files, others, policy, Simulation(policy, model))
    except RobotError as error:
        raise BundleError(where, str(error)) from None
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise BundleError(where, f"does not fit together: {error}") from None


def sessions_of(manifest: Mapping[str, Any], files: Mapping[str, bytes], where: str) -> list[InferenceSession]:
    """The networks of a bundle, in the order in which they decide, each on one thread.

    Raises:
        BundleError: one would read other files, cannot be read, or is not the one that the manifest describes.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    sessions = []
    for network in manifest["networks"]:
        if network["file"] not in files:
            raise BundleError(where, f"lists no {network['file']}")
        _refuse_foreign(files[network["file"]], network, where)
        try:
            session = onnxruntime.InferenceSession(files[network["file"]], options, providers=["CPUExecutionProvider"])
        except network_faults() as error:
            raise BundleError(where, f"a network cannot be read: {error}") from None
        sessions.append(session)
    return sessions


def network_faults() -> tuple[type[Exception], ...]:
    """What onnxruntime raises for a network that it cannot read or run."""
    raised = import_module("onnxruntime.capi.onnxruntime_pybind11_state")  # which has no types
    names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented", "RuntimeException")
    return tuple(getattr(raised, name) for name in names)


def _refuse_foreign(content: bytes, network: dict[str, Any], where: str) -> None:
    """Raises BundleError for a network that would read other files, or is not the one that the manifest describes."""
    import onnx
    from google.protobuf.message import DecodeError
    from onnx.external_data_helper import _get_all_tensors, uses_external_data

    try:
        model = onnx.load_model_from_string(content)
        onnx.checker.check_model(model)
    except (DecodeError, onnx.checker.ValidationError, ValueError) as error:
        raise BundleError(where, f"{network['file']} is no ONNX model: {error}") from None
    if any(uses_external_data(tensor) for tensor in _get_all_tensors(model)):
        raise BundleError(where, f"{network['file']} refers to other files, which no network of a bundle does")
    found = ([value.name for value in model.graph.input], [value.name for value in model.graph.output])
    said = ([each["name"] for each in network["inputs"]], [network["output"]["name"]])
    opset = next((each.version for each in model.opset_import if each.domain == ""), None)
    sizes = [_width(value) for value in (*model.graph.input, *model.graph.output)]
    wanted = [each["size"] for each in (*network["inputs"], network["output"])]
    if found != said or sizes != wanted or opset != network["opset"]:
        raise BundleError(where, f"{network['file']} is not the network that the manifest describes")


def _width(value: Any) -> int | None:
    """Of a network's input or output its numbers in one world; None for what is no batch of floats."""
    kind = value.type.tensor_type
    return kind.shape.dim[1].dim_value if kind.elem_type == 1 and len(kind.shape.dim) == 2 else None


def refuse_missing(who: Path | str = "embodied export") -> None:
    """Raises BundleError where the libraries that bundles need are not installed; ``who`` needs them."""
    try:
        import jsonschema  # noqa: F401
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise BundleError(who, f"needs {error.name}: pip install 'embodied[export]'") from None
