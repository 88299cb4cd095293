"""What a person waits for one part of an answer at most, and how a program of its own is given more time."""

LIMITS_OF_AN_ANSWER = (
    "crews.ask.tools.START_SECONDS",
    "crews.runtime.cluster_reader._ANSWER_SECONDS",
    "crews.ask.gather.knowledge.VECTOR_SECONDS",
    "crews.ask.gather.pipelines.SECONDS_FOR_MANY",
    "crews.ask.gather.run.DEADLINE_SECONDS",
    "crews.ask.names.ASK_SECONDS",
    "crews.ask.requests.objects.LOOK_SECONDS",
)
"""Seconds that a person waits for one part of an answer. What is late is left out and named, as it should be."""

UNHURRIED = "\n".join(f"import {name.rpartition('.')[0]}\n{name} = 60.0" for name in LIMITS_OF_AN_ANSWER)
"""Python for a process that a test starts: on a busy machine a part that is late would be missing in what is said."""
