"""`python -m logs_service serve work` runs the service."""

from chassis.service import main
from logs_service.app import build

if __name__ == "__main__":
    main(build)
