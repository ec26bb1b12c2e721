"""`python -m console`."""

from console.main import run
from runtime.process.worker import main

if __name__ == "__main__":
    main({"": run})
