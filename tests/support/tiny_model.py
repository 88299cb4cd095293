"""Writes a language model with random weights: nonsense as text, but real for protocol, grammar, cache and timing.

Llama architecture in GGUF with a byte-level BPE tokenizer that is trained here on Python's own standard library, so
nothing is downloaded. Less than a second and 1.4 MB. ``layers`` and ``width`` make a slower one where a test needs
time to pass.
"""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path
from typing import Any

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
VOCABULARY = 2048
TRAINING_FILES = 80

TEMPLATE = """\
{{- if or .System .Tools }}<|im_start|>system
{{ .System }}
{{- if .Tools }}
Tools:
{{- range .Tools }}
{{ .Function }}
{{- end }}
Call one as <tool_call>{"name": NAME, "arguments": {}}</tool_call>
{{- end }}<|im_end|>
{{ end }}
{{- range .Messages }}
{{- if eq .Role "user" }}<|im_start|>user
{{ .Content }}<|im_end|>
{{ else if eq .Role "assistant" }}<|im_start|>assistant
THINKING{{ .Content }}
{{- range .ToolCalls }}<tool_call>{"name": "{{ .Function.Name }}", "arguments": {{ .Function.Arguments }}}</tool_call>
{{- end }}<|im_end|>
{{ else if eq .Role "tool" }}<|im_start|>user
<tool_response>{{ .Content }}</tool_response><|im_end|>
{{ end }}
{{- end }}<|im_start|>assistant
"""

THINKING = "{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}"


def modelfile(weights: Path, *, thinks: bool = False) -> str:
    """Ollama's description of a model. That it thinks is read from the template alone."""
    template = TEMPLATE.replace("THINKING", THINKING if thinks else "")
    return f'FROM {weights}\nTEMPLATE """{template}"""\nPARAMETER stop <|im_end|>\nPARAMETER num_thread 1\n'


def write_weights(path: Path, *, width: int = 64, layers: int = 2, context: int = 32_768, seed: int = 0) -> None:
    """One attention head: heads narrower than 32 miss the fast path of the engine and read ten times slower."""
    import gguf
    import numpy as np

    vocabulary, merges = _tokenizer()
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("tiny-random")
    writer.add_context_length(context)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(2 * width)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_rope_dimension_count(width)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(vocabulary))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(vocabulary)
    kinds = [gguf.TokenType.CONTROL if token in SPECIAL else gguf.TokenType.NORMAL for token in vocabulary]
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(vocabulary.index("<|endoftext|>"))
    writer.add_eos_token_id(vocabulary.index("<|im_end|>"))
    writer.add_add_bos_token(False)
    _add_tensors(writer, random, len(vocabulary), width, layers)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_tensors(writer: Any, random: Any, words: int, width: int, layers: int) -> None:
    import numpy as np

    def matrix(rows: int, columns: int) -> Any:
        return (random.standard_normal((rows, columns)) / np.sqrt(columns)).astype(np.float32)

    writer.add_tensor("token_embd.weight", random.standard_normal((words, width)).astype(np.float32))
    for number in range(layers):
        block = f"blk.{number}."
        for norm in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"{block}{norm}.weight", np.ones(width, np.float32))
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            writer.add_tensor(f"{block}{part}.weight", matrix(width, width))
        writer.add_tensor(f"{block}ffn_gate.weight", matrix(2 * width, width))
        writer.add_tensor(f"{block}ffn_up.weight", matrix(2 * width, width))
        writer.add_tensor(f"{block}ffn_down.weight", matrix(width, 2 * width))
    writer.add_tensor("output_norm.weight", np.ones(width, np.float32))
    writer.add_tensor("output.weight", 2 * matrix(words, width))


def _tokenizer() -> tuple[list[str], list[str]]:
    """Vocabulary in the order of ids, and merges as "left right"."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    texts = sorted(str(path) for path in Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))[:TRAINING_FILES]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=SPECIAL, show_progress=False, initial_alphabet=alphabet
    )
    tokenizer.train(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    vocabulary = sorted(model["vocab"], key=model["vocab"].__getitem__)
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    return vocabulary, merges
