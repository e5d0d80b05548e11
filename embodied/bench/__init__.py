"""Benches: speed as ratios within one run, because machines drift and neighbours are noisy."""
