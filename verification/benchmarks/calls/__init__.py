"""How many calls to AWS one subscription takes, and one drained event: counted at the clients."""
