"""Which lines of a log explain a failure, without the CI system's own frame."""
