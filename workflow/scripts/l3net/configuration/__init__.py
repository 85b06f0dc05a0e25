"""The configuration of a run: its keys, their types, units and ranges, the checks between them, and the
names that follow from it."""
