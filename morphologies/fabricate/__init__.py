"""Bodies leave: MJCF, URDF, meshes and a parts list of anything that can stand in a scene."""

from morphologies.fabricate.errors import FabricationError
from morphologies.fabricate.fabricate import FORMAT, PARTS, VERSION, Fabrication, fabricate
from morphologies.fabricate.parts import Parts

__all__ = ["FORMAT", "PARTS", "VERSION", "Fabrication", "FabricationError", "Parts", "fabricate"]
