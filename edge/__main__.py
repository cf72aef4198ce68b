"""`python -m edge …`"""

import sys
import threading

from edge.app import logs

sys.excepthook = logs.uncaught
threading.excepthook = logs.uncaught_in_thread
if sys.argv[1:2] == ["sync"]:
    from edge.app import sync_cli

    sys.exit(sync_cli.main(sys.argv[2:]))
if sys.argv[1:2] == ["run"]:
    from edge.app import run_cli

    sys.exit(run_cli.main(sys.argv[2:]))
from edge.app.cli import main  # noqa: E402  everything else, which these two can do without

sys.exit(main())
