def of_caller(waiting: list):
    while waiting:
        job = min(waiting)
        waiting.remove(job)


def looked_at():
    waiting = [3, 1, 2]
    while waiting:
        job = min(waiting)
        waiting.remove(job)
        print(waiting[0], job)


def used_after():
    waiting = [3, 1, 2]
    while waiting:
        job = min(waiting)
        waiting.remove(job)
        if job == 2:
            break
    return waiting


def with_key():
    waiting = [3, 1, 2]
    while waiting:
        job = min(waiting, key=abs)
        waiting.remove(job)


def given_away(keep):
    waiting = [3, 1, 2]
    keep(waiting)
    while waiting:
        job = min(waiting)
        waiting.remove(job)


def other_removed():
    waiting = [3, 1, 2]
    while waiting:
        job = min(waiting)
        waiting.remove(job + 0)
