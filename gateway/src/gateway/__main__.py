"""`python -m gateway`."""

from gateway.app import build
from gateway.process import main

if __name__ == "__main__":
    main(build)
