"""How far the system scales on AWS, on paper: inputs, arithmetic, a simulation of its queues.

`make scaling` prints the tables of docs/scaling.md.
"""
