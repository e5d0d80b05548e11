"""Skills learned from motion: imitation, and priors that other policies command."""
