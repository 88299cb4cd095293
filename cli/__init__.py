"""The command line: one file per command group. A command parses, calls one function, and prints."""

from cli import model, run, serve, version

COMMANDS = (
    model.register,
    run.register,
    serve.register,
    version.register,
)
"""Every command group, in the order of `crew --help`."""
