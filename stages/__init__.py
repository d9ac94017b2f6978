"""The stages of the pipeline, scripts that are run as `python -m stages.<name>`, and what they import."""

import signal
import sys

# Until `guard` handles it, Ctrl-C ends a script without a traceback, also while it imports: at that time, sys.argv[0]
# is "-m". Programs that import this package keep their own handling.
if sys.argv[0] == "-m" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
