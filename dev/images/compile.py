"""Write byte code for what the packages import, and for nothing else: `compile.py PACKAGE...`, run inside the build.

A root that is read-only cannot keep byte code that is made later, and a third of what libraries bring along is never
imported; that part stays as source.
"""

import importlib
import pkgutil
import sys

for name in sys.argv[1:]:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{name}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
