"""`python -m edge …`"""

import sys
import threading

from edge.app import logs
from edge.app.cli import main

sys.excepthook = logs.uncaught
threading.excepthook = logs.uncaught_in_thread
sys.exit(main())
