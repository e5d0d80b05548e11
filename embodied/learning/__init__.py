"""Learning: experience, its collection, PPO, training and evaluation. Environments come in by their protocol only."""
