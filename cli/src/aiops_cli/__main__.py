"""Entry point: `aiops` and `python -m aiops_cli`."""

from aiops_cli.app import main

if __name__ == "__main__":
    main()
