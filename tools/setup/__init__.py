"""`make` sets .venv up with this: the locked packages, installed by uv and never resolved.

It runs before anything is installed, so it has the standard library alone. `__main__` refuses an
old Python and is written for one; `environment` does the work, with `uv`, which gets what pip is
configured with from `pip_settings`. `machine` looks for what mongod links against, and `refusals`
says in a sentence what pip, uv and the file system said.
"""
