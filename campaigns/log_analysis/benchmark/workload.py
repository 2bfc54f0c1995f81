"""One day of a web shop's logs, drawn from a seed, together with what is true of each line.

The lines are what the library is given; the truth is what they were written from, so nothing is parsed to know it.
Equal seeds and sizes give equal lines.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

__all__ = ["Workload", "draw"]

TEAMS = [
    "sales", "support", "finance", "logistics", "marketing", "legal", "research", "design", "partners", "north",
    "south",
]  # fmt: skip
SYLLABLES = [
    "an", "be", "chi", "da", "el", "fo", "gu", "ha", "is", "jo", "ka", "li", "mo", "ne", "ol", "pa", "ri", "su", "ta",
    "vi",
]  # fmt: skip
GOODS = [
    "lamp", "chair", "desk", "mug", "clock", "rug", "shelf", "vase", "sofa", "stool", "frame", "bowl", "plate",
    "towel", "box",
]  # fmt: skip
PAGES = [
    "/", "/login", "/cart", "/checkout", "/search", "/orders", "/account", "/help", "/api/prices", "/api/stock",
    "/health",
]  # fmt: skip
LEVELS = ["DEBUG", "INFO", "INFO", "INFO", "WARN", "WARN", "ERROR", "ERROR", "FATAL"]

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0"
AGENTS = [
    ("chrome", f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Safari/537.36"),
    ("chrome", f"Mozilla/5.0 (Linux; Android 14) {WEBKIT} Mobile Safari/537.36"),
    ("edge", f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Safari/537.36 Edg/{{v}}.0"),
    ("firefox", "Mozilla/5.0 (X11; Linux x86_64; rv:{v}.0) Gecko/20100101 Firefox/{v}.0"),
    ("safari", "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_2) AppleWebKit/605.1.15 (KHTML) Version/{v}.1 Safari/605.1"),
    ("opera", f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Safari/537.36 OPR/{{v}}.0"),
    ("bot", "Mozilla/5.0 (compatible; Searchbot/{v}.1; +http://search.example/bot.html)"),
    ("curl", "curl/{v}.4.0"),
    ("library", "python-requests/{v}.31"),
    ("other", "MonitoringProbe {v}"),
]

PATTERNS = [
    ("billing", "Payment of order {order} was refused by the bank of {name} after {number} attempts"),
    ("billing", "Payment of order {order} was accepted by the bank of {name} after {number} attempts"),
    ("billing", "Invoice {order} could not be printed because the template {path} is corrupt"),
    ("billing", "Voucher {text} has expired and was taken out of the cart of {name}"),
    ("billing", "Rounding difference of {number} cents in order {order}, corrected in favour of the customer"),
    ("stock", "Only {number} pieces of article {text} left in the warehouse, supplier was informed"),
    ("stock", "Article {text} is missing in the warehouse although {number} pieces were counted"),
    ("stock", "Retry number {number} of the delivery from {address} after a broken connection"),
    ("stock", "Counting of shelf {number} finished without any difference"),
    ("gateway", "Connection to {address} refused, next attempt in {number} seconds"),
    ("gateway", "Connection to {address} lost after {number} seconds, waiting for a new leader"),
    ("gateway", "Timeout after {number} seconds while the answer of {address} was expected"),
    ("gateway", "Certificate of {address} expires in {number} days"),
    ("gateway", "Request {uuid} was answered by the replica at {address} in {number} ms"),
    ("accounts", "Sign-in of {name} denied: wrong password, {number} attempts left"),
    ("accounts", "Sign-in of {name} from {address} accepted"),
    ("accounts", "Password of {name} was changed, {number} open sessions were closed"),
    ("accounts", "Session {uuid} of {name} has expired"),
    ("database", "Deadlock between transactions {hex} and {hex}, the younger one is rolled back"),
    ("database", "Slow query took {number} ms and read {number} rows from the table {text}"),
    ("database", "Checkpoint at {hex} written in {number} ms"),
    ("database", "Connection pool is exhausted, {number} clients are waiting for a free connection"),
    ("database", "Table {text} has grown by {number} rows since the last checkpoint"),
    ("search", "Index of {text} rebuilt from {path} in {number} seconds"),
    ("search", "Query for {text} gave no results in {number} of the indexes"),
    ("search", "Cache overflow: {number} entries dropped from {path}"),
    ("mail", "Message to {name} bounced: mailbox of the receiver is full"),
    ("mail", "Message to {name} delivered after {number} attempts by {address}"),
    ("mail", "Newsletter {text} sent to {number} customers"),
    ("mail", "Out of memory while the newsletter {text} was rendered for {number} customers"),
]  # fmt: skip


@dataclass(frozen=True)
class Workload:
    """Lines, accounts as (name, team), and the truth: requests and events as tuples, lines that are none.

    A request is (moment, address, user, path, browser, status, size, duration), an event (moment, level as written,
    source, message, template).  `rejected` counts the lines of both logs that are neither.
    """

    access: list[str]
    application: list[str]
    accounts: list[tuple[str, str]]
    requests: list[tuple[datetime, str, str, str, str, int, int, float]]
    events: list[tuple[datetime, str, str, str, str]]
    rejected: int


def draw(seed: int, requests: int = 4000, events: int = 4200, accounts: int = 850, year: int = 2024) -> Workload:
    """A day with so many requests and events, from so many accounts."""
    chance = random.Random(f"{seed} {requests} {events} {accounts} {year}")
    day = datetime(year, chance.randint(1, 12), chance.randint(1, 28), tzinfo=UTC)
    names = _names(chance, accounts)
    teams = [(name, chance.choice(TEAMS)) for name in names]
    teams += [(name, "management") for name in chance.sample(names, accounts // 15)]
    chance.shuffle(teams)
    access, seen = _access_log(chance, day, names, requests)
    application, told, broken = _application_log(chance, day.replace(tzinfo=None), names, events)
    noise = ["\x16\x03\x01 handshake", '10.0.0.7 - - [not a time] "GET / HTTP/1.1" 200 5 "-" "-" 0.1', "rotated"]
    for _ in range(requests // 100):
        access.insert(chance.randrange(len(access)), chance.choice(noise))
    return Workload([*access, ""], application, teams, seen, told, requests // 100 + broken)


def _names(chance: random.Random, n: int) -> list[str]:
    names: dict[str, None] = {}
    while len(names) < n:
        names["".join(chance.choices(SYLLABLES, k=chance.choice([2, 3, 3])))] = None
    return list(names)


def _access_log(
    chance: random.Random, day: datetime, names: list[str], n: int
) -> tuple[list[str], list[tuple[datetime, str, str, str, str, int, int, float]]]:
    lines, truth = [], []
    addresses = [f"{chance.randint(11, 99)}.{chance.randint(0, 255)}.{chance.randint(0, 255)}.7" for _ in range(n // 2)]
    agents = [(kind, text.format(v=chance.randint(60, 140))) for kind, text in AGENTS for _ in range(6)]
    visits = [_small(chance, _small(chance, len(names))) - 1 for _ in range(n)]
    for moment, visit in zip(_moments(chance, day, n), visits, strict=True):
        user = names[visit] if chance.random() < 0.75 else "-"
        path = chance.choice(PAGES) if chance.random() < 0.5 else f"/goods/{chance.choice(GOODS)}/{_small(chance, 40)}"
        query = f"?q={chance.choice(GOODS)}&page={chance.randint(1, 9)}" if chance.random() < 0.3 else ""
        status = chance.choices([200, 304, 302, 404, 500, 503], [80, 8, 4, 5, 2, 1])[0]
        size = 0 if status == 304 else chance.randint(120, 90_000)
        duration = round(min(chance.lognormvariate(-2.0, 1.0), 30.0), 3)
        browser, agent = agents[_small(chance, len(agents)) - 1]
        address = addresses[_small(chance, len(addresses)) - 1]
        written = moment.strftime("%d/%b/%Y:%H:%M:%S +0000")
        method = "POST" if path in ("/checkout", "/login") else "GET"
        lines.append(
            f'{address} - {user} [{written}] "{method} {path}{query} HTTP/1.1" {status} '
            f'{size or "-"} "-" "{agent}" {duration:.3f}'
        )
        truth.append((moment, address, user, path, browser, status, size, duration))
    return lines, truth


def _application_log(
    chance: random.Random, day: datetime, names: list[str], n: int
) -> tuple[list[str], list[tuple[datetime, str, str, str, str]], int]:
    """Lines, truth, and how many lines were broken.

    Most messages repeat a recent one; some events go on over a second line, some levels are misspelt.
    """
    lines, truth, recent, broken = [], [], [], 0
    for moment in _moments(chance, day, n):
        if recent and chance.random() < 0.75:
            source, message, template = chance.choice(recent[-40:])
        else:
            source, pattern = PATTERNS[_small(chance, len(PATTERNS)) - 1]
            message, template = _filled(chance, pattern, names)
            recent.append((source, message, template))
        level = chance.choice(LEVELS)
        if chance.random() < 0.045:
            level = _misspelt(chance, level)
        lines.append(f"{moment:%Y-%m-%d %H:%M:%S} {level} [{source}] {message}")
        if chance.random() < 0.03:
            lines.append("    see the manual for what to do")
            message += " see the manual for what to do"
            template += " see the manual for what to do"
        elif chance.random() < 0.01:
            lines.append(f"{source}: {message}")
            broken += 1
        truth.append((moment, level, source, message, template))
    return lines, truth, broken


def _moments(chance: random.Random, day: datetime, n: int) -> list[datetime]:
    """In order of time, more by day than by night, in bursts within a second."""
    moments: list[datetime] = []
    while len(moments) < n:
        second = int(min(max(chance.gauss(50_000, 15_000), 0), 86_399))
        moments += [day + timedelta(seconds=second)] * chance.choice([2, 3, 5, 8, 13, 20])
    return sorted(moments[:n])


def _filled(chance: random.Random, pattern: str, names: list[str]) -> tuple[str, str]:
    """A message and its template; values come from small ranges, so messages come again."""
    message, template = pattern, pattern
    while "{" in message:
        kind = message[message.index("{") + 1 : message.index("}")]
        value, mask = {
            "order": (str(40_000 + _small(chance, 40)), "<number>"),
            "number": (str(_small(chance, 12)), "<number>"),
            "name": (f'"{chance.choice(names[:9])}"', "<text>"),
            "text": (f"'{chance.choice(GOODS)}'", "<text>"),
            "address": (f"10.2.{_small(chance, 2)}.{_small(chance, 9)}:8080", "<address>"),
            "hex": (hex(0x5F0000 + _small(chance, 20)), "<hex>"),
            "path": (f"/srv/{chance.choice(GOODS)}/v{_small(chance, 3)}.bin", "<path>"),
            "uuid": (f"{_small(chance, 40):08x}-51ab-4c1e-9f00-{_small(chance, 2):012x}", "<uuid>"),
        }[kind]
        message = message.replace("{" + kind + "}", value, 1)
        template = template.replace("{" + kind + "}", mask, 1)
    return message, template


def _small(chance: random.Random, most: int) -> int:
    """1 to `most`, small numbers more often."""
    return 1 + int(most * chance.random() ** 2)


def _misspelt(chance: random.Random, word: str) -> str:
    """One or two slips: a letter left out, doubled, exchanged with its neighbour, or another one."""
    for _ in range(chance.choice([1, 1, 2])):
        i = chance.randrange(len(word) - 1)
        word = chance.choice(
            [
                word[:i] + word[i + 1 :],
                word[:i] + word[i] + word[i:],
                word[:i] + word[i + 1] + word[i] + word[i + 2 :],
                word[:i] + chance.choice("AEIOXYZ") + word[i + 1 :],
            ]
        )
    return word
