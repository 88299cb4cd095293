"""Questions about logs as a person reads the answers: the lines that are errors, whose they are, and what is absent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from bench.section import Row, Section, at_least
from crews.ask.gather.collector import Request
from crews.ask.gather.logs import collect
from opscrew.answer.understand.question import understand
from tests.support.asking import crew_at
from tests.support.log_entries import SHIPPERS, log_entries
from tests.support.parts import FOLDER
from tests.support.victoria import VICTORIA_LOGS, victoria_logs, write_logs
from tools.connection import Address
from tools.victorialogs.client import Period, VictoriaLogsClient
from tools.victorialogs.failures import is_failure
from tools.victorialogs.fields import fields_of

LINES = Path(__file__).parent.parent / "tests" / "tools" / "victorialogs" / "data" / "lines.yaml"
FACTS = {
    # A question, what the answer must say, and what it must not.
    "kilo": (("5 error lines of kilo", "5 times: KeyError: 'user_id'"), ("Traceback",)),
    "mike": (("5 error lines of mike", "shop.declined.CardDeclined: card 7"), ()),
    "sierra": (("5 times: shop.declined.CardDeclined",), ()),
    "lima": (("payment <N> declined: card expired",), ("missing _msg",)),
    "oscar": (("have no text",), ("missing _msg",)),
    "quebec": (("no error lines of quebec", "0 of 5 lines"), ()),
    "foxtrot": (("called foxtrot",), ("error lines", "payment")),
}


def measure(data: Path) -> Section:
    """Lines by themselves, and answers over the real server. Raises ``FileNotFoundError`` where it is not built."""
    del data
    program = FOLDER / VICTORIA_LOGS / "victoria-logs"
    if not program.is_file():
        raise FileNotFoundError(program)
    section = Section(
        "logs",
        "Logs: what is an error, and whose is it?",
        "Lines of the usual loggers, and pods whose logs came by ten collectors into the real VictoriaLogs, asked for "
        "in words. An answer is right when it names the pod and the number, quotes the text that says what went wrong, "
        "and tells absent from quiet.",
    )
    section.rows.extend(_lines())
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        section.rows.extend(_answers(Path(folder)))
    return section


def _lines() -> Iterator[Row]:
    groups = yaml.safe_load(LINES.read_text(encoding="utf-8"))
    for kind, what in (("failures", "failures found"), ("harmless", "harmless lines left out")):
        entries = [entry for group in groups for entry in group.get(kind, ())]
        right = 0
        for entry in entries:
            text, fields = entry if isinstance(entry, list) else (entry, {})
            levels = [(scale, fields[field]) for field, scale in fields_of(fields).levels]
            right += is_failure(text, levels) == (kind == "failures")
        yield at_least(f"{what}, of {len(entries)}", right / len(entries), 0.97)


def _answers(folder: Path) -> Iterator[Row]:
    now = datetime.now(UTC).replace(microsecond=0)
    entries = log_entries(now)
    wanted = {
        name: ((f"10 error lines of {name} ", f"ERROR {name} payment <N> declined"), ()) for name in SHIPPERS
    } | FACTS
    with victoria_logs(folder) as url:
        write_logs(url, entries)
        with closing(VictoriaLogsClient(Address(url, timeout_seconds=60))) as logs:
            while logs.count("*", Period(now - timedelta(hours=1), now)) < len(entries):
                pass
        wrong = []
        for name, (present, absent) in wanted.items():
            question = f"show the errors in the logs of {name}"
            with crew_at(now, folder, victorialogs={"url": url, "timeout_seconds": 60}) as crew:
                # Not by asking: on a busy machine its limit of time would be measured, and not what is said.
                understood = understand(question, [], now, ZoneInfo("UTC"))
                facts = collect(Request(crew, question, understood, now))
            text = "\n".join(fact.text for fact in facts)
            if not all(one in text for one in present) or any(one in text for one in absent):
                wrong.append(name)
    share = 1 - len(wrong) / len(wanted)
    yield at_least(f"answers right, of {len(wanted)} pods", share, 0.95, f"wrong: {', '.join(wrong)}" if wrong else "")
