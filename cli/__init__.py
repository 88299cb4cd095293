"""The command line: one file per command group. A command parses, calls one function, and prints."""

from cli import version

COMMANDS = (version.register,)
"""Every command group, in the order of `crew --help`."""
