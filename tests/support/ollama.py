"""Starts a real Ollama on loopback with random-weight models or a small real one, and stops it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

import httpx

from tests.support.parts import part
from tests.support.tiny_model import modelfile, write_weights

START_SECONDS = 120

SMALL = "smollm2:135m"
SMALL_MODELFILE = """FROM {weights}
TEMPLATE \"\"\"{{{{- if .System }}}}<|im_start|>system
{{{{ .System }}}}<|im_end|>
{{{{ end }}}}
{{{{- range .Messages }}}}<|im_start|>{{{{ .Role }}}}
{{{{ .Content }}}}<|im_end|>
{{{{ end }}}}<|im_start|>assistant
\"\"\"
PARAMETER stop <|im_end|>
PARAMETER num_ctx 8192
PARAMETER temperature 0
"""
"""ChatML, as the model was trained with. Without a place for tools, so Ollama knows that it calls none."""


def small_weights() -> Path:
    """Of SmolLM2-135M-Instruct; skips with the reason where they could not be had."""
    return part("smollm2-0.1.2", "SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2")


class Ollama:
    """``with Ollama(folder) as server``: ``server.url`` answers and has the models tiny, tiny-thinking and slow; with
    ``small`` it has the real model ``SMALL`` instead."""

    def __init__(self, folder: Path, *, small: bool = False) -> None:
        self.small = small_weights() if small else None
        self.program = part("ollama-v0.24.0", "ollama", "ollama")
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "OLLAMA_HOST": self.url,
            "OLLAMA_MODELS": str(folder / "models"),
            "OLLAMA_NO_CLOUD": "1",
            "OLLAMA_NUM_PARALLEL": "1",
        }

    def __enter__(self) -> Ollama:
        self.log = (self.folder / "ollama.log").open("wb")
        self.process = subprocess.Popen(
            [self.program, "serve"], env=self.environment, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL
        )
        try:
            self._wait()
            if self.small is not None:
                self._create(SMALL, SMALL_MODELFILE.format(weights=self.small))
                return self
            write_weights(self.folder / "tiny.gguf")
            write_weights(self.folder / "slow.gguf", width=512, layers=12)
            tiny, slow = self.folder / "tiny.gguf", self.folder / "slow.gguf"
            self._create("tiny", modelfile(tiny, thinks=False))
            self._create("tiny-thinking", modelfile(tiny, thinks=True))
            self._create("slow", modelfile(slow, thinks=False))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()

    def _create(self, name: str, text: str) -> None:
        description = self.folder / f"{name.replace(':', '-')}.modelfile"
        description.write_text(text, encoding="utf-8")
        subprocess.run(
            [self.program, "create", name, "-f", description], env=self.environment, check=True, capture_output=True
        )

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{self.url}/api/version", timeout=10, trust_env=False)
            except httpx.HTTPError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"Ollama did not start; see {self.folder / 'ollama.log'}")
