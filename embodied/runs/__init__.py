"""Runs: folders that hold everything that was spent, written so that they can be killed at any moment."""
