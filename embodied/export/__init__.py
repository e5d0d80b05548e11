"""Hand-over bundles: a policy or a skill prior as one folder that runs with onnxruntime and numpy alone."""

from embodied.export.errors import BundleError
from embodied.export.manifest import FORMAT, MANIFEST, VERSION, is_bundle

__all__ = ["FORMAT", "MANIFEST", "VERSION", "BundleError", "is_bundle"]
