"""Exit 0 when the process of this container answers at its own health port: `healthcheck.py [path]`."""

import os
import socket
import sys

SECONDS = 2.5


def answers(listen: str, path: str) -> bool:
    """Whether a GET of the path at "host:port", asked on this machine, is answered with 200."""
    port = int(listen.rpartition(":")[2])
    try:
        with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
            connection.settimeout(SECONDS)
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            return connection.makefile("rb").readline().split(b" ")[1:2] == [b"200"]
    except OSError:
        return False


if __name__ == "__main__":
    asked = sys.argv[1] if len(sys.argv) > 1 else "/healthz"
    sys.exit(not answers(os.environ[os.environ["AIOPS_HEALTH_SETTING"]], asked))
