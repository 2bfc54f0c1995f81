import types


def job():
    log = []
    return types.SimpleNamespace(log=log, start=lambda: log.append(1) is None)


def f(jobs: list):
    return any([job.start() for job in jobs]), [j.log for j in jobs]


def main():
    return f([job(), job()])
