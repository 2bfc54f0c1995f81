"""Requests in a log, joined with what is known of the clients."""

from datetime import datetime


class Request:
    def __init__(self, line: str) -> None:
        parts = line.split(" ")
        self.client = parts[0]
        self.when = datetime.strptime(parts[1], "%Y-%m-%dT%H:%M")
        self.path = parts[2]
        self.took = int(parts[3])

    @property
    def folder(self) -> str:
        return "/".join(self.path.lower().split("/")[:2])


def parse(lines: list[str]) -> list[Request]:
    requests = []
    for line in lines:
        if line and not line.startswith("#") and len(line.split(" ")) == 4:
            requests.append(Request(line))
    return requests


def joined(requests: list[Request], clients: list[dict]) -> list[tuple[str, str]]:
    rows = []
    for request in requests:
        for client in clients:
            if client["address"] == request.client:
                rows.append((client["name"], request.path))
                break
    return rows


def slowest(requests: list[Request], k: int) -> list[int]:
    return sorted([request.took for request in requests], reverse=True)[:k]


def distinct(requests: list[Request]) -> list[str]:
    seen = []
    for request in requests:
        if request.client not in seen:
            seen.append(request.client)
    return seen


def medians(requests: list[Request]) -> list[int]:
    ordered = []
    middle = []
    for request in requests:
        ordered.append(request.took)
        ordered.sort()
        middle.append(ordered[len(ordered) // 2])
    return middle


def has_errors(requests: list[Request], suffix: str) -> bool:
    found = False
    for request in requests:
        if request.path.endswith(suffix.lower()) or request.path.endswith(".bad"):
            found = True
    return found


def schedule(times: list[int]) -> list[int]:
    waiting = [0]
    for time in times:
        waiting.append(time)
    done = []
    while waiting:
        job = min(waiting)
        waiting.remove(job)
        done.append(job)
        if job % 5 == 4:
            waiting.append(job + 3)
    return done


def spread(links: dict[str, list[str]], start: str) -> list[str]:
    queue = [start]
    seen = []
    while queue:
        page = queue.pop(0)
        if page in seen:
            continue
        seen.append(page)
        for other in links.get(page, []):
            queue.append(other)
    return seen


def run(lines: list[str], clients: list[dict], links: dict[str, list[str]]) -> object:
    requests = parse(lines)
    return (
        joined(requests, clients),
        slowest(requests, 3),
        distinct(requests),
        medians(requests),
        has_errors(requests, ".ERR"),
        schedule([request.took for request in requests]),
        [request.folder for request in requests],
        spread(links, "a"),
    )
