class Job:
    def __init__(self):
        self.on = 0

    def start(self):
        self.on += 1
        return True


def f(jobs: list):
    ok = False
    for job in jobs:
        if job.start():
            ok = True
    return ok, [j.on for j in jobs]


def main():
    return f([Job(), Job()])
