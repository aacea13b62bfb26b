"""Last one out turns off the light: waits until no process uses the server, then stops it.

A process of its own, because the users' ends include kill -9, after which none of them can do it.
"""

import fcntl
import os
import sys
from pathlib import Path

from dressportal.embedded_postgres.server import Server


def keep(server: Server) -> None:
    """Returns at once with a keeper at its post: this one, as a daemon, or an earlier one."""
    with server.keeper_file.open("a") as post, server.users_file.open("a") as users:
        try:
            fcntl.flock(post, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        if os.fork() == 0:
            os.setsid()
            fcntl.flock(users, fcntl.LOCK_EX)
            server.stop()


if __name__ == "__main__":
    keep(Server(Path(sys.argv[1])))
