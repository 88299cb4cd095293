"""What a person waits for one part of an answer at most, and how a program of its own is given more time."""

LIMITS_OF_AN_ANSWER = (
    "crews.answer_tools.START_SECONDS",
    "crews.cluster_reader._ANSWER_SECONDS",
    "crews.collectors.knowledge.VECTOR_SECONDS",
    "crews.collectors.pipelines.SECONDS_FOR_MANY",
    "crews.gathering.DEADLINE_SECONDS",
    "crews.known_names.ASK_SECONDS",
    "crews.wishes.objects.LOOK_SECONDS",
)
"""Seconds that a person waits for one part of an answer. What is late is left out and named, as it should be."""

UNHURRIED = "\n".join(f"import {name.rpartition('.')[0]}\n{name} = 60.0" for name in LIMITS_OF_AN_ANSWER)
"""Python for a process that a test starts: on a busy machine a part that is late would be missing in what is said."""
