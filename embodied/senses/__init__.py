"""Senses: what a policy may know, one observation group each, with units, frames and ranges."""

from embodied.senses.sense import ObservationSpec, Sense, Term

__all__ = ["ObservationSpec", "Sense", "Term"]
