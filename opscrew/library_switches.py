"""Switches off what libraries send out, look up or keep of their own accord. The one place for all of them.

The crew promises that nothing leaves its machines, and several libraries that it needs do otherwise unless they are
told before they are imported. ONNX Runtime from 1.29 on looks up a Microsoft host from native threads and keeps a
device id and a database of events in HOME; switching it off after the import no longer stops the files. crewai reports
runs, LiteLLM downloads a price list, Hugging Face's client asks whether a model is new. ``docs/NOTHING_LEAVES.md``
tells what was found in each library and how it is watched.

``main.py`` calls this before anything else, and so does every module that imports one of these libraries, since tests,
the bench and ``python -m`` do not come through ``main.py``. A process that is started from here inherits it. What a
person has set of these for other programs does not count here.
"""

from __future__ import annotations

import os

SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime, which chromadb imports too; a second line below the pin
    "ANONYMIZED_TELEMETRY": "False",  # chromadb, which crewai imports
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_TRACKING": "true",
    "CREWAI_TRACING_ENABLED": "false",  # crewai asks on a terminal whether a trace may be shared
    "CREWAI_DISABLE_VERSION_CHECK": "true",
    "CREWAI_TOOLS_ALLOW_UNSAFE_PATHS": "false",  # a tool that reads files stays below the working folder
    "OTEL_SDK_DISABLED": "true",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MODE": "PRODUCTION",  # any other mode reads a .env file of the working folder
    "PYTHON_DOTENV_DISABLED": "true",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",  # what many programs agreed on; handed on to MCP servers too
}


def set_library_switches() -> None:
    """Cheap, and may be called again at any time."""
    os.environ.update(SWITCHES)
