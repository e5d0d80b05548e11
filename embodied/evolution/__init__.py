"""Evolution: DEAP's vocabulary, the asynchronous tournament, the ledger, and where lifetimes run."""
