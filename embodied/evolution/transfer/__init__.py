"""Transfer: the best bodies of an evolution learn other tasks, each from nothing, as DERL judges its arenas by."""
