"""`python -m cloud_bridge --config site/registry/registry.toml …`."""

import sys

from cloud_bridge import logs
from cloud_bridge.cli import main

if __name__ == "__main__":
    sys.excepthook = logs.uncaught
    sys.exit(main())
