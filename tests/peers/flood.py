"""Send frames one after the other: ``python -I -S flood.py LINK PAUSE``, in the namespace of a guest.

Reads the frames, one a line in hexadecimal, from standard input; says ``go``, sends them in turn, again and again, with
``PAUSE`` seconds after each, until it is asked to end (SIGTERM), and says how many it sent.
"""

import itertools
import signal
import socket
import sys
import time
from types import FrameType


def main(link: str, pause: float) -> None:
    """Send until asked to end."""
    frames = [bytes.fromhex(line) for line in sys.stdin]
    wanted = True

    def end(_number: int, _frame: FrameType | None) -> None:
        nonlocal wanted
        wanted = False

    signal.signal(signal.SIGTERM, end)
    sent = 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((link, 0))
        print("go", flush=True)
        for frame in itertools.cycle(frames):
            if not wanted:
                break
            sender.send(frame)
            sent += 1
            if pause:
                time.sleep(pause)
    print(sent)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
