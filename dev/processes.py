"""What of a stack lives on this machine: the processes of an earlier start, and who holds a port."""

import json
import signal

import psutil
from rich.console import Console

from chassis.embedded.nats import NatsServer
from chassis.embedded.postgres import PostgresServer
from state import State


def port_holder(port: int) -> str:
    """Who listens on a port, as far as this user may see."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                return (
                    f" by {psutil.Process(connection.pid).name()} (process {connection.pid})" if connection.pid else ""
                )
    except (psutil.Error, OSError):
        return ""
    return ""


def running(state: State) -> dict[int, psutil.Process]:
    """Processes of an earlier `up` that still live, by pid; a pid that was given away since is not among them."""
    path = state.path("stack.json")
    if not path.exists():
        return {}
    alive = {}
    for pid, created in json.loads(path.read_text())["processes"].items():
        try:
            process = psutil.Process(int(pid))
            if abs(process.create_time() - created) < 1.0 and process.status() != psutil.STATUS_ZOMBIE:
                alive[int(pid)] = process
        except psutil.NoSuchProcess:
            continue
    return alive


def stop_running(state: State, console: Console) -> bool:
    """Stop an earlier stack, also one whose supervisor was killed; False when nothing ran."""
    alive = running(state)
    if not alive:
        PostgresServer.stop_left_over(state.path("postgres"))
        NatsServer.stop_left_over(state.path("nats"))
        return False
    supervisor = json.loads(state.path("stack.json").read_text())["supervisor"]
    first = [alive[supervisor]] if supervisor in alive else list(alive.values())
    for process in first:
        process.send_signal(signal.SIGTERM)
    _, late = psutil.wait_procs(list(alive.values()), timeout=60)
    for process in late:
        console.print(f"  process {process.pid} did not end in 60 s and is killed")
        process.kill()
    PostgresServer.stop_left_over(state.path("postgres"))
    NatsServer.stop_left_over(state.path("nats"))
    state.path("stack.json").unlink(missing_ok=True)
    return True
