"""Ctrl-C in child processes.

Under nohup and in background jobs this process ignores SIGINT, and children inherit that: Python installs the handler that
raises KeyboardInterrupt only where SIGINT is not ignored. So programs that a test interrupts begin with INTERRUPTIBLE.
"""

INTERRUPTIBLE = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
