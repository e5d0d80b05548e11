"""Adversarial Skill Embeddings: a repertoire on a sphere, learned from motion clips against a discriminator.

Peng et al. (2022), "ASE: Large-Scale Reusable Adversarial Skill Embeddings for Physically Simulated Characters".
Equations and weights are those of the paper and its released code; `docs/ase.md` lists where this differs.
"""
