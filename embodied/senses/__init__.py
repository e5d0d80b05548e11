"""Senses: what a policy may know, one observation group each, with units, frames and ranges."""

from embodied.senses.device_spec import DeviceObservationSpec
from embodied.senses.sense import ObservationSpec, Sense, Term

__all__ = ["DeviceObservationSpec", "ObservationSpec", "Sense", "Term"]
