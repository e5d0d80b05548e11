"""Scenes: an arena and named bodies composed into one model, and the entities they are read through."""

from embodied.scenes.entity import Entity, EntityView
from embodied.scenes.ground import Ground
from embodied.scenes.scene import Arena, Scene

__all__ = ["Arena", "Entity", "EntityView", "Ground", "Scene"]
