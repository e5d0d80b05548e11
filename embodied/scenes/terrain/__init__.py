"""Uneven ground: height fields, the generators that draw them, and the pools that worlds choose from."""

from embodied.scenes.terrain.pool import HeightFields

__all__ = ["HeightFields"]
