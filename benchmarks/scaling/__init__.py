"""How far the system scales on AWS, on paper: inputs, arithmetic, a simulation of its queues.

`python -m benchmarks.scaling` prints the tables of docs/scaling.md and `--plot` draws its picture.
"""
