"""A stand-in for a hospital's and a clinic's electronic health record: what the demonstration delivers to.

A program of its own (`python -m gateway.demo.receiving_ehr`) which knows nothing of the gateway but its public doors
and the standards: it stores what arrives, refuses what is wrong, and answers by small rules about what arrived.
It shares no code with the gateway, so that neither can hide the other's misreading of a standard.
"""
