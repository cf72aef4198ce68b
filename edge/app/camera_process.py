"""`python -m edge.app.camera_process KIND SOURCE UPSIDE_DOWN ORDERS ANSWERS MEMORY MODE`

Started by `edge.drivers.capture`, never by hand. It sees the camera, has no network and ends
with the kiosk.
"""

from __future__ import annotations

import os
import sys

from edge.drivers.capture_child import die_with_parent, serve, shut_out_network


def main(arguments: list[str]) -> None:
    kind, source, upside_down, orders, answers, memory, mode = arguments
    die_with_parent()
    shut_out_network()
    from edge.app.cameras import direct  # after the network: numpy starts threads

    camera = direct(kind, source, upside_down=upside_down == "1")
    serve(camera, (int(orders), int(answers), int(memory)), mode)


if __name__ == "__main__":
    main(sys.argv[1:])
    os._exit(0)  # what a vendor library does at exit may hang
