"""Statistics of access and application logs: who came, what was slow, what failed, and in which words."""

from logstats.parsing import (
    browser_of,
    level_of,
    parse_event,
    parse_events,
    parse_moment,
    parse_request,
    parse_requests,
)
from logstats.ranking import slowest, top, unique
from logstats.rates import busiest, curve, per_window, percentile, running_median, surges
from logstats.records import Cluster, Event, Request, Session, User
from logstats.report import analyse, as_json, as_text
from logstats.sessions import join_users, load_by_team, sessions_of
from logstats.settings import SETTINGS, Settings
from logstats.similarity import edit_distance, nearest, similar_pairs
from logstats.templates import alerts, clusters, template_of
from logstats.words import ngram_counts, ngrams, word_counts, words_of

__all__ = [
    "SETTINGS",
    "Cluster",
    "Event",
    "Request",
    "Session",
    "Settings",
    "User",
    "alerts",
    "analyse",
    "as_json",
    "as_text",
    "browser_of",
    "busiest",
    "clusters",
    "curve",
    "edit_distance",
    "join_users",
    "level_of",
    "load_by_team",
    "nearest",
    "ngram_counts",
    "ngrams",
    "parse_event",
    "parse_events",
    "parse_moment",
    "parse_request",
    "parse_requests",
    "per_window",
    "percentile",
    "running_median",
    "sessions_of",
    "similar_pairs",
    "slowest",
    "surges",
    "template_of",
    "top",
    "unique",
    "word_counts",
    "words_of",
]
