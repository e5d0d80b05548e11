"""Reports: figures of runs, and videos."""
