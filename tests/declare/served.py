"""A server in a process of its own, to be killed: ``python -m tests.declare.served DIRECTORY`` prints its port."""

from __future__ import annotations

import sys
from pathlib import Path

from ringfence.server.runtime import Runtime, Settings
from tests.serving import serving


def main() -> None:
    """Serve until killed."""
    runtime = Runtime(Settings.at(Path(sys.argv[1])))
    with runtime.running(), serving(runtime.app()) as served:
        print(served.port, flush=True)
        served.thread.join()


if __name__ == "__main__":
    main()
