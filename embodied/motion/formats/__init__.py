"""Motion files, one format a module: each says whether a file is its own, reads it, and writes it where it can."""
