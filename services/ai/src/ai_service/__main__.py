"""Start ai: `python -m ai_service serve work`."""

from ai_service.app import build
from chassis.service import main

if __name__ == "__main__":
    main(build)
