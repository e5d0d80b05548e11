"""Worlds: many copies of one scene stepped together."""
