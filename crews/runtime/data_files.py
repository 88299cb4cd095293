"""Reads every commented data file once when the crew starts, so that a mistake in one is told then, in one line, and
not hours later by whichever crew needs it first.

Roles, tasks, the schedule and the list of MCP servers have checks of their own that also look at what they name.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError
from yaml import YAMLError

from crews.team import catalogue
from opscrew import redaction
from opscrew.actions import catalog as action_catalog
from opscrew.alerts import causes as alert_causes
from opscrew.alerts import labels as alert_labels
from opscrew.alerts import rules as alert_rules
from opscrew.answer.claims import language as claim_language
from opscrew.answer.prose import words as prose_words
from opscrew.answer.times import words as time_words
from opscrew.answer.understand import follow_ups, intents, name_places, request_words, wording
from opscrew.answer.write import measures, templates
from opscrew.ci.explain import explanation_length, frame, line_kinds, line_scores, line_trees
from opscrew.ci.judge import deployments, hosts, pipeline_errors
from opscrew.ci.judge.signatures import catalog as signatures
from opscrew.ci.watch import poll_bucket, watching
from opscrew.ci_history import spending
from opscrew.cluster import event_faults, thresholds
from opscrew.cluster.custom import vocabulary
from opscrew.cluster.report import folding, next_steps, noise
from opscrew.cluster.workloads import container_ends, image_pulls
from opscrew.errors import CrewError
from opscrew.findings import codes, life
from opscrew.measures import catalogue as measure_catalogue
from opscrew.memory import words as memory_words
from opscrew.notify import rules as notify_rules
from opscrew.notify import wording as notify_wording
from opscrew.settings import Settings
from opscrew.storage import forecast
from opscrew.storage import rules as storage_rules
from opscrew.strict_yaml import HINT
from tools.bitbucket import refusals
from tools.grafana import client as grafana
from tools.victorialogs import client as victorialogs
from tools.victorialogs import failures as log_failures
from tools.victorialogs import fields as log_fields
from tools.victorialogs import needs as log_needs
from tools.victoriametrics import client as victoriametrics
from tools.victoriametrics import series as needed_series

READERS: tuple[tuple[Path, Callable[[], object]], ...] = (
    (redaction.PATTERNS_FILE, lambda: redaction.redact("")),
    (action_catalog.CATALOG_FILE, action_catalog.catalog),
    (alert_causes.CAUSES_FILE, alert_causes.cause_rules),
    (alert_labels.LABELS_FILE, alert_labels.label_rules),
    (alert_rules.RULES_FILE, alert_rules.alert_rules),
    (claim_language.CLAIMS_FILE, claim_language.claim_words),
    (prose_words.PROSE_FILE, prose_words.prose_words),
    (follow_ups.FOLLOW_UPS_FILE, follow_ups.follow_ups),
    (request_words.WISH_WORDS_FILE, request_words.wish_words),
    (intents.INTENTS_FILE, intents.intents),
    (measures.MEASURES_FILE, measures.measures),
    (name_places.SUBJECTS_FILE, name_places.name_words),
    (wording.WORDING_FILE, wording.wording),
    (templates.TEMPLATES_FILE, templates.templates),
    (time_words.WORDS_FILE, time_words.time_words),
    (deployments.RULES_FILE, lambda: deployments.rules().search),
    (explanation_length.WEIGHTS_FILE, explanation_length.length_weights),
    (frame.FRAME_FILE, frame.frame),
    (hosts.HOSTS_FILE, lambda: hosts.is_public("")),
    (line_kinds.KINDS_FILE, line_kinds.line_kinds),
    (line_scores.WEIGHTS_FILE, line_scores.weights),
    (line_trees.TREES_FILE, line_trees.trees),
    (measure_catalogue.CATALOGUE_FILE, measure_catalogue.catalogue),
    (spending.RULES_FILE, spending.spending_rules),
    (poll_bucket.RULES_FILE, poll_bucket.poll_rules),
    (watching.RULES_FILE, watching.watch_rules),
    (signatures.FOLDER, signatures.catalog),
    (container_ends.ENDS_FILE, container_ends.end_kinds),
    (event_faults.FAULTS_FILE, event_faults.event_faults),
    (folding.FOLDING_FILE, folding.folding),
    (image_pulls.PULLS_FILE, image_pulls.pull_rules),
    (next_steps.NEXT_STEPS_FILE, next_steps.next_steps),
    (noise.NOISE_FILE, noise.load_noise),
    (thresholds.THRESHOLDS_FILE, thresholds.thresholds),
    (vocabulary.VOCABULARY_FILE, vocabulary.read_vocabulary),
    (codes.CODES_FILE, codes.codes),
    (life.LIFETIMES_FILE, life.lifetimes),
    (notify_rules.RULES_FILE, notify_rules.rules),
    (notify_wording.WORDING_FILE, notify_wording.wording),
    (memory_words.WORDS_FILE, memory_words.read_lists),
    (memory_words.SYNONYMS_FILE, memory_words.synonyms),
    (forecast.RULES_FILE, forecast.forecast_rules),
    (storage_rules.RULES_FILE, storage_rules.storage_rules),
    (pipeline_errors.ERRORS_FILE, pipeline_errors.known_errors),
    (refusals.REFUSALS_FILE, refusals.refusals),
    (grafana.QUERIES_FILE, grafana.queries),
    (victorialogs.QUERIES_FILE, victorialogs.queries),
    (victoriametrics.QUERIES_FILE, victoriametrics.queries),
    (needed_series.SERIES_FILE, needed_series.needs),
    (log_failures.FAILURES_FILE, log_failures.failures),
    (log_fields.FIELDS_FILE, log_fields.field_names),
    (log_needs.NEEDS_FILE, log_needs.needs),
    (catalogue.MODELS, catalogue.load_catalogue),
)
"""Each file, or folder of files, with what reads it."""


def refuse_broken_files(settings: Settings) -> int:
    """How many were read. Raises ``CrewError`` that names the first file that cannot be, and why."""
    own = [(settings.cluster_noise, lambda: noise.load_noise(settings.cluster_noise))] if settings.cluster_noise else []
    for file, read in (*READERS, *own):
        try:
            read()
        except ValidationError as problem:
            first = problem.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the whole"
            raise CrewError(f"{file}: {place}: {first['msg']}", HINT) from problem
        except (YAMLError, OSError, ValueError, LookupError, TypeError, AttributeError) as problem:
            raise CrewError(f"{file}: {' '.join(str(problem).split()) or type(problem).__name__}", HINT) from problem
    return len(READERS) + len(own)
