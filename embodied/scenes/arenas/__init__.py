"""Arenas: the grounds that scenes stand on."""
