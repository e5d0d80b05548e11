"""Doors: our environments in the forms other libraries expect."""
