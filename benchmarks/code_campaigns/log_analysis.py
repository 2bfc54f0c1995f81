"""Edits of `campaigns/log_analysis`: sound ones that pay, sound ones that do not, and traps."""

from __future__ import annotations

from benchmarks.code_campaigns.edits import Edit

__all__ = ["IDLE", "SOUND", "TRAPS"]

PARSING = "logstats/parsing.py"
RANKING = "logstats/ranking.py"
RATES = "logstats/rates.py"
RECORDS = "logstats/records.py"
REPORT = "logstats/report.py"
SESSIONS = "logstats/sessions.py"
SETTINGS = "logstats/settings.py"
SIMILARITY = "logstats/similarity.py"
TEMPLATES = "logstats/templates.py"
WORDS = "logstats/words.py"

ACCESS = (
    r"""        r'(\S+) \S+ (\S+) \[([^\]]+)\] "([A-Z]+) (\S+) [^"]*" (\d{3}) (\d+|-) "[^"]*" "([^"]*)" (\d+\.\d+)$'"""
)
APPLICATION = r'''r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) ([A-Za-z]+) \[([^\]]+)\] (.*)$"'''


def cached(path: str, definition: str, above: str) -> tuple[tuple[str, str, str], ...]:
    """The function remembered without limit; the import goes before the line `above`."""
    return (
        (path, above, f"from functools import lru_cache\n{above}"),
        (path, definition, f"@lru_cache(maxsize=None)\n{definition}"),
    )


SOUND = (
    Edit("remember edit distances", cached(SIMILARITY, "def edit_distance(", "from collections.abc import")),
    Edit("remember templates", cached(TEMPLATES, "def template_of(", "import re\n")),
    Edit("remember moments", cached(PARSING, "def parse_moment(", "import re\n")),
    Edit(
        "remember browsers",
        ((PARSING, "def browser_of(", "@lru_cache(maxsize=None)\ndef browser_of("),),
        needs=("remember moments",),
    ),
    Edit(
        "stop words as a set",
        (
            (WORDS, "STOP_WORDS = [\n", "STOP_WORDS = frozenset([\n"),
            (WORDS, '"you", "your",\n]  # fmt: skip', '"you", "your",\n])  # fmt: skip'),
        ),
    ),
    Edit(
        "pattern and lower case once per word",
        (
            (WORDS, "def words_of(", 'WORD = re.compile(r"[A-Za-z]+(?:[-\'][A-Za-z]+)*")\n\n\ndef words_of('),
            (
                WORDS,
                """    words = []
    for word in re.findall(r"[A-Za-z]+(?:[-'][A-Za-z]+)*", text):
        if word.lower() not in STOP_WORDS and len(word) > 2:
            words.append(word.lower())
    return words
""",
                """    return [word for word in WORD.findall(text.lower()) if word not in STOP_WORDS and len(word) > 2]
""",
            ),
        ),
    ),
    Edit(
        "count words in one pass",
        (
            (
                WORDS,
                "from collections.abc import Iterable",
                "from collections import Counter\nfrom collections.abc import Iterable",
            ),
            (
                WORDS,
                """    counts = {}
    for word in words:
        if word not in counts:
            counts[word] = words.count(word)
    return counts
""",
                "    return dict(Counter(words))\n",
            ),
        ),
    ),
    Edit(
        "runs of words by index",
        (
            (
                WORDS,
                """    found = []
    while len(words) >= n:
        found.append(" ".join(words[:n]))
        words.pop(0)
    return found
""",
                """    return [" ".join(words[i : i + n]) for i in range(len(words) - n + 1)]
""",
            ),
        ),
    ),
    Edit(
        "unique by dict",
        (
            (
                RANKING,
                """    seen: list[Item] = []
    for item in items:
        if item not in seen:
            seen.append(item)
    return seen
""",
                "    return list(dict.fromkeys(items))\n",
            ),
        ),
    ),
    Edit(
        "top by one sort",
        (
            (
                RANKING,
                """    remaining = list(counts.items())
    best: list[tuple[str, int]] = []
    while remaining and len(best) < k:
        first = min(remaining, key=lambda item: (-item[1], item[0]))
        remaining.remove(first)
        best.append(first)
    return best
""",
                "    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:k]\n",
            ),
        ),
    ),
    Edit(
        "slowest by one sort",
        (
            (
                RANKING,
                """    kept: list[Request] = []
    for request in requests:
        kept.append(request)
        kept.sort(key=lambda one: -one.duration)
        kept = kept[:k]
    return kept
""",
                "    return sorted(requests, key=lambda one: -one.duration)[:k]\n",
            ),
        ),
    ),
    Edit(
        "sort a curve once",
        (
            (
                RATES,
                """    points = []
    for share in shares:
        points.append((share, value_at(sorted(values), share)))
""",
                """    points = []
    ordered = sorted(values)
    for share in shares:
        points.append((share, value_at(ordered, share)))
""",
            ),
        ),
    ),
    Edit(
        "insert into the running median",
        (
            (RATES, "import math\n", "import bisect\nimport math\n"),
            (RATES, "        so_far.append(value)\n        so_far.sort()\n", "        bisect.insort(so_far, value)\n"),
        ),
    ),
    Edit(
        "latest moment once",
        (
            (
                RATES,
                "    start = min(moments)\n    while start <= max(moments):\n",
                "    start = min(moments)\n    last = max(moments)\n    while start <= last:\n",
            ),
        ),
    ),
    Edit(
        "sort each user's requests once",
        (
            (
                SESSIONS,
                """        by_user[request.user].append(request)
        by_user[request.user].sort(key=lambda one: one.moment)
""",
                """        by_user[request.user].append(request)
    for own in by_user.values():
        own.sort(key=lambda one: one.moment)
""",
            ),
        ),
    ),
    Edit(
        "join by index",
        (
            (
                SESSIONS,
                """    pairs = []
    for request in requests:
        for user in users:
            if user.name == request.user:
                pairs.append((request, user))
    return pairs
""",
                """    by_name: dict[str, list[User]] = {}
    for user in users:
        by_name.setdefault(user.name, []).append(user)
    return [(request, user) for request in requests for user in by_name.get(request.user, [])]
""",
            ),
        ),
    ),
    Edit(
        "people of a team as a set",
        (
            (SESSIONS, "people: dict[str, list[str]] = {}", "people: dict[str, set[str]] = {}"),
            (SESSIONS, "people[user.team] = []", "people[user.team] = set()"),
            (
                SESSIONS,
                """        if user.name not in people[user.team]:
            people[user.team].append(user.name)
""",
                "        people[user.team].add(user.name)\n",
            ),
        ),
    ),
    Edit(
        "templates of a source as a set",
        (
            (TEMPLATES, "seen: list[tuple[str, str]] = []", "seen: set[tuple[str, str]] = set()"),
            (TEMPLATES, "seen.append(pair)", "seen.add(pair)"),
        ),
    ),
    Edit(
        "lower case of a message once",
        (
            (
                TEMPLATES,
                """        for keyword in keywords:
            if keyword.lower() in event.message.lower():
""",
                """        message = event.message.lower()
        for keyword in keywords:
            if keyword.lower() in message:
""",
            ),
        ),
    ),
    Edit(
        "one overlap per pair",
        (
            (
                SIMILARITY,
                """            if overlap(a, b) >= least:
                pairs.append((a, b, overlap(a, b)))
""",
                """            share = overlap(a, b)
            if share >= least:
                pairs.append((a, b, share))
""",
            ),
        ),
    ),
    Edit(
        "pattern of access lines compiled once",
        (
            (PARSING, "def parse_request(", f"ACCESS = re.compile(\n{ACCESS}\n)\n\n\ndef parse_request("),
            (PARSING, f"re.match(\n{ACCESS},\n        line,\n    )", "ACCESS.match(line)"),
        ),
    ),
    Edit(
        "pattern of event lines compiled once",
        (
            (PARSING, "def parse_event(", f"APPLICATION = re.compile({APPLICATION})\n\n\ndef parse_event("),
            (PARSING, f"re.match({APPLICATION}, line)", "APPLICATION.match(line)"),
        ),
    ),
)
"""Keep the behaviour; most take time away alone, all do together."""

IDLE = (
    Edit(
        "queue of the busiest window",
        (
            (
                RATES,
                "import math\nfrom collections.abc",
                "import math\nfrom collections import deque\nfrom collections.abc",
            ),
            (RATES, "window: list[datetime] = []", "window: deque[datetime] = deque()"),
            (RATES, "window.pop(0)", "window.popleft()"),
        ),
    ),
    Edit(
        "records with slots",
        tuple(
            (RECORDS, f"@dataclass\nclass {name}:", f"@dataclass(slots=True)\nclass {name}:")
            for name in ("Request", "Event", "User", "Cluster")
        ),
    ),
    Edit(
        "sum over a generator",
        (
            (REPORT, "sum([request.size for request in requests])", "sum(request.size for request in requests)"),
            (
                REPORT,
                "sum([1 for duration in durations if is_slow(duration)])",
                "sum(1 for duration in durations if is_slow(duration))",
            ),
        ),
    ),
    Edit(
        "join the lines of the text",
        (
            (
                REPORT,
                """        cells = ""
        for cell in entry:
            if cells:
                cells += "  "
            cells += row(cell)
        return cells
""",
                """        return "  ".join([cell for cell in map(row, entry) if cell])
""",
            ),
        ),
    ),
    Edit(
        "remember levels",
        (
            (PARSING, "import re\n", "import re\nfrom functools import lru_cache\n"),
            (PARSING, "def level_of(", "@lru_cache(maxsize=None)\ndef level_of("),
        ),
        needs=("remember edit distances",),
    ),
)
"""Keep the behaviour and change no time that can be measured; the last once edit distances are remembered."""

TRAPS = (
    Edit("remember words of a text", cached(WORDS, "def words_of(", "import re\n")),
    Edit("remember local hours", cached(SETTINGS, "def local_hour(", "from dataclasses import")),
    Edit("remember names of sources", cached(SETTINGS, "def shown_name(", "from dataclasses import")),
    Edit("remember what is slow", cached(SETTINGS, "def is_slow(", "from dataclasses import")),
    Edit("remember figures of the text", cached(REPORT, "def figure(", "import json\n")),
    Edit("remember events", cached(PARSING, "def parse_event(", "import re\n")),
    Edit("remember requests", cached(PARSING, "def parse_request(", "import re\n")),
    Edit("remember the nearest word", cached(SIMILARITY, "def nearest(", "from collections.abc import")),
    Edit(
        "unique by set",
        (
            (
                RANKING,
                """    seen: list[Item] = []
    for item in items:
        if item not in seen:
            seen.append(item)
    return seen
""",
                "    return list(set(items))\n",
            ),
        ),
    ),
    Edit(
        "top by Counter",
        (
            (RANKING, "from collections.abc import", "from collections import Counter\nfrom collections.abc import"),
            (
                RANKING,
                """    remaining = list(counts.items())
    best: list[tuple[str, int]] = []
    while remaining and len(best) < k:
        first = min(remaining, key=lambda item: (-item[1], item[0]))
        remaining.remove(first)
        best.append(first)
    return best
""",
                "    return Counter(counts).most_common(k)\n",
            ),
        ),
    ),
    Edit(
        "words counted over a set",
        (
            (
                WORDS,
                """    counts = {}
    for word in words:
        if word not in counts:
            counts[word] = words.count(word)
    return counts
""",
                "    return {word: words.count(word) for word in sorted(set(words))}\n",
            ),
        ),
    ),
    Edit(
        "queue of words",
        (
            (WORDS, "import re\n", "import re\nfrom collections import deque\n"),
            (WORDS, "    words = words_of(text)\n    found = []", "    words = deque(words_of(text))\n    found = []"),
            (WORDS, "words.pop(0)", "words.popleft()"),
        ),
    ),
    Edit(
        "queue of recent counts",
        (
            (
                RATES,
                "import math\nfrom collections.abc",
                "import math\nfrom collections import deque\nfrom collections.abc",
            ),
            (RATES, "recent: list[int] = []", "recent: deque[int] = deque()"),
            (RATES, "recent.pop(0)", "recent.popleft()"),
        ),
    ),
    Edit(
        "one account per name",
        (
            (
                SESSIONS,
                """    for request in requests:
        for user in users:
            if user.name == request.user:
                pairs.append((request, user))
""",
                """    by_name = {user.name: user for user in users}
    for request in requests:
        if request.user in by_name:
            pairs.append((request, by_name[request.user]))
""",
            ),
        ),
    ),
    Edit(
        "requests taken as sorted",
        ((SESSIONS, "        by_user[request.user].sort(key=lambda one: one.moment)\n", ""),),
    ),
    Edit(
        "median sorted once",
        (
            (
                RATES,
                """    so_far: list[float] = []
    medians = []
    for value in values:
        so_far.append(value)
        so_far.sort()
""",
                """    so_far: list[float] = []
    medians = []
    for value in sorted(values):
        so_far.append(value)
""",
            ),
        ),
    ),
    Edit(
        "keywords outside",
        (
            (
                TEMPLATES,
                """    for event in events:
        for keyword in keywords:
            if keyword.lower()""",
                """    for keyword in keywords:
        for event in events:
            if keyword.lower()""",
            ),
        ),
    ),
)
"""Look like the sound ones; the tests of the package must refuse each."""
