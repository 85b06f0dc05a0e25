"""The command l3net: one module for each of its commands."""
