"""A local page on which a run can be watched: the sweep as it goes, and any of its bodies moving."""
