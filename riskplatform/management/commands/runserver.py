"""Serve HTTP and WebSockets for development, on one port.

Daphne's command under its usual name, without daphne among the installed apps: that
would load Twisted into every process.
"""

from daphne.management.commands.runserver import Command

__all__ = ["Command"]
