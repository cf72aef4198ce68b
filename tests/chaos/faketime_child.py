"""A process under libfaketime in which one visit is played.

    faketime_child.py ORDER        the answer is one JSON object on stdout

Python sleeps until a time since boot (`clock_nanosleep`, TIMER_ABSTIME), which libfaketime
0.9.10 takes for one of its false clock even if it is told to leave that alone: sleeping fails
with EINVAL, on a real machine never. So `time.sleep` waits by other means here, from before
anything of the product is imported.
"""

from __future__ import annotations

import json
import sys
import threading
import time


def sleep(seconds: float) -> None:
    threading.Event().wait(seconds)


if __name__ == "__main__":
    time.sleep = sleep
    from tests.chaos.faketime_visit import main

    print(json.dumps(main(json.loads(sys.argv[1]))))
