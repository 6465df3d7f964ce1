"""`python -m gateway`."""

from chassis.program import run_program
from gateway.app import build

if __name__ == "__main__":
    run_program("gateway", build)
