"""Source texts that the tests of the feedback loop comment."""

CODE = '''"""Stock of a shop."""

import json

LIMIT = 100


class Stock:
    """Counts of articles."""

    def __init__(self, path, counts=None):
        self.path = path
        self.counts = dict(counts or {})

    def take(self, name, count=1, strict=True):
        """Take articles out.

        Args:
            name: the article
            amount: how many
            strict: whether too few is an error (default False)

        Returns:
            int: how many are left
        """
        if count < 1:
            raise ValueError(f"count is {count}")
        left = self.counts.get(name, 0)
        if left < count:
            if strict:
                raise KeyError(name)
            count = left
        self.counts[name] = left - count
        return self.counts[name]

    def save(self):
        # TODO: write atomically
        with open(self.path, "w") as file:
            json.dump(self.counts, file)


def merge(stocks, limit=LIMIT):
    assert limit > 0
    total = {}
    for stock in stocks:
        for name, count in stock.counts.items():
            if name in total:
                if total[name] + count > limit:
                    total[name] = limit
                else:
                    total[name] += count
            else:
                total[name] = count
    return total
'''
