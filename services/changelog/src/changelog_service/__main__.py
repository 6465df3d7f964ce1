"""`python -m changelog_service serve work` runs the service."""

from chassis.service import main
from changelog_service.app import build

if __name__ == "__main__":
    main(build)
