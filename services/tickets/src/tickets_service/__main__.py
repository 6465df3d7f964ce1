"""`python -m tickets_service serve work` runs the service."""

from chassis.service import main
from tickets_service.app import build

if __name__ == "__main__":
    main(build)
