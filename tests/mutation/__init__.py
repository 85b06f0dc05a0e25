"""Mutation tests: small faults planted in l3net, one at a time, and whether the nearest tests see them.

``make test-mutants`` goes on with the fixed sample where the log (``tests/mutation/log.jsonl``) ends.
"""
