"""The command line: one file per command group. A command parses, calls one function, and prints."""

from cli import (
    actions,
    ask,
    chat,
    ci,
    cluster,
    conversations,
    demo,
    doctor,
    findings,
    init,
    knowledge,
    mcp,
    model,
    run,
    serve,
    storage,
    version,
)

COMMANDS = (
    actions.register,
    ask.register,
    chat.register,
    ci.register,
    cluster.register,
    conversations.register,
    demo.register,
    doctor.register,
    findings.register,
    init.register,
    knowledge.register,
    mcp.register,
    model.register,
    run.register,
    serve.register,
    storage.register,
    version.register,
)
"""Every command group, in the order of `crew --help`."""
