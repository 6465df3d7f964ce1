"""Generate the Python package `aiops` from the protos: messages, type stubs and gRPC stubs.

The versions are pinned by the lock file, so the output is deterministic; `--check` says whether the committed package
is current and changes nothing.
"""

import filecmp
import shutil
import sys
import tempfile
from importlib import resources
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent / "proto"
OUT = ROOT / "python"
KINDS = ("python", "mypy", "grpc_python", "mypy_grpc")


def generate(out: Path) -> None:
    """Write the package into the folder.

    Raises:
        SystemExit: protoc refused a file; it has said why.
    """
    protos = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "aiops").rglob("*.proto"))
    well_known = resources.files("grpc_tools") / "_proto"
    scripts = Path(sys.executable).parent
    code = protoc.main(
        [
            "protoc",
            f"-I{ROOT}",
            f"-I{well_known}",
            *(f"--plugin={scripts / name}" for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")),
            *(f"--{kind}_out=quiet:{out}" if kind.startswith("mypy") else f"--{kind}_out={out}" for kind in KINDS),
            *protos,
        ]
    )
    if code:
        raise SystemExit(code)
    for folder in {(out / proto).parent for proto in protos}:
        package = folder
        while package != out:
            (package / "__init__.py").touch()
            package = package.parent
    (out / "aiops" / "py.typed").touch()
    for stub in out.rglob("*_pb2_grpc.py"):  # protoc writes an empty one for each file without a service
        if not stub.name.endswith("_service_pb2_grpc.py"):
            stub.unlink()
            stub.with_suffix(".pyi").unlink()


def difference(fresh: Path, committed: Path) -> list[str]:
    """Names of files that are not the same in both folders, or are in one alone."""
    names = {
        path.relative_to(top) for top in (fresh, committed) for path in top.rglob("*.py*") if path.suffix != ".pyc"
    }
    return sorted(
        str(name)
        for name in names
        if not ((fresh / name).exists() and (committed / name).exists())
        or not filecmp.cmp(fresh / name, committed / name, shallow=False)
    )


def main() -> int:
    """Replace proto/python/aiops, or with --check compare it; 1 when it is not current."""
    with tempfile.TemporaryDirectory() as temporary:
        fresh = Path(temporary)
        generate(fresh)
        if "--check" in sys.argv:
            stale = difference(fresh / "aiops", OUT / "aiops")
            if stale:
                print("proto/python is not current; run `make proto`:", *stale, sep="\n  ")
            return 1 if stale else 0
        shutil.rmtree(OUT / "aiops", ignore_errors=True)
        shutil.copytree(fresh / "aiops", OUT / "aiops")
    return 0


if __name__ == "__main__":
    sys.exit(main())
