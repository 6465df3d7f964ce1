"""`python -m gateway` runs the gateway, `python -m gateway pages` a server of the dashboard's files alone."""

import sys

from chassis.program import run_program

if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            from gateway.app import build

            run_program("gateway", build)
        case ["pages"]:
            # The graph and its clients stay out of a process that needs neither: a third of the memory.
            from gateway.pages_process import build_pages

            run_program("dashboard", build_pages)
        case _:
            sys.exit("usage: python -m gateway [pages]   (pages: the files of the dashboard alone)")
