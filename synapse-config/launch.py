"""Starts a Synapse homeserver of a local world.

Three things that Synapse does not do by itself:

* names that end in ``.localhost`` resolve to this machine (RFC 6761, section 6.3), which plain glibc does not do;
* the homeserver ends when the process that started it is gone, however that ended, so that nothing is left behind;
* nobody but its owner can read what it writes.

Arguments are passed on to Synapse. The starter tells its process id in HYPERTY_STARTER_PID; without that, the
homeserver runs until it is stopped.
"""

import ctypes
import os
import signal
import socket
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.25
GRACE_SECONDS = 3.0


def resolve_localhost_names() -> None:
    """Make getaddrinfo answer ``*.localhost`` with loopback. Must run before Twisted is imported."""
    system_getaddrinfo = socket.getaddrinfo

    def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):  # noqa: A002 (the names are socket's)
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        if isinstance(name, str) and name.rstrip(".").lower().endswith(".localhost"):
            host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
        return system_getaddrinfo(host, port, family, type, proto, flags)

    socket.getaddrinfo = getaddrinfo


def end_with(starter_pid: int) -> None:
    """End this process when its parent is no longer ``starter_pid``: politely, then at once."""
    if sys.platform == "linux":
        # The kernel tells us without delay; the thread below is for other systems and for a starter that died
        # before this line.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)

    def watch() -> None:
        while os.getppid() == starter_pid:
            time.sleep(POLL_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="starter-watch", daemon=True).start()


def main() -> None:
    starter = os.environ.get("HYPERTY_STARTER_PID")
    if starter is not None:
        end_with(int(starter))
    os.umask(0o077)
    resolve_localhost_names()
    from synapse.app.homeserver import main as run_homeserver

    run_homeserver()


if __name__ == "__main__":
    main()
