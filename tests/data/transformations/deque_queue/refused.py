def of_caller(queue: list):
    while queue:
        queue.pop(0)


def sliced():
    queue = [1, 2, 3]
    while queue:
        queue.pop(0)
        print(queue[1:])


def returned():
    queue = [1, 2, 3]
    while len(queue) > 1:
        queue.pop(0)
    return queue


def given_away(keep):
    queue = [1, 2, 3]
    while queue:
        queue.pop(0)
        keep(queue)


def sorted_too():
    queue = [3, 1]
    while queue:
        queue.pop(0)
        queue.sort()


def compared():
    queue = [1]
    while queue != []:
        queue.pop(0)


def aliased():
    queue = [1]
    other = queue
    while other:
        queue.pop(0)


def closure():
    queue = [1]

    def take():
        return queue.pop(0)

    while queue:
        take()


def text():
    queue = "abc"
    while queue:
        queue = queue[1:]


def stack():
    queue = [1]
    while queue:
        queue.pop()
