"""What nobody caught is told by type and place; its words may hold a name."""

from __future__ import annotations

import subprocess
import sys

CODE = """\
import runpy, sys, threading
from edge.app import cli, logs
def fail(_argv=None):
    logs.setup()
    thread = threading.Thread(target=lambda: 1 / int("王建华"), name="helper")
    thread.start(); thread.join()
    raise RuntimeError("王建华 100000194508150010")
cli.main = fail
sys.argv = ["edge"]
runpy.run_module("edge", run_name="__main__")
"""


def test_f09_an_uncaught_exception_names_nobody() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "王建华" not in done.stderr
    assert "1945" not in done.stderr
    assert "where=main type=RuntimeError at=fail:7" in done.stderr
    assert "where=helper type=ValueError" in done.stderr
