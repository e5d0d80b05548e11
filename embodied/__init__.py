"""Evolve robot bodies, train their controllers, and ship what they learned."""
