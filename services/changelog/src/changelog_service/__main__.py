"""`python -m changelog_service serve work` runs the service."""

from changelog_service.app import build
from chassis.service import main

if __name__ == "__main__":
    main(build)
