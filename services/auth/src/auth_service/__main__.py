"""`python -m auth_service serve work`."""

from auth_service.app import build
from chassis.service import main

if __name__ == "__main__":
    main(build)
