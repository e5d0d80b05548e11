"""The report's pictures, one subject a file; each function gives a `Picture` that is drawn later."""
