"""A scripted model host: speaks Ollama's protocol and OpenAI's over HTTP, and misbehaves on demand."""
