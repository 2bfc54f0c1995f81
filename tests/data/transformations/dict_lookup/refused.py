def not_equal(keys, pairs: list):
    out = []
    for key in keys:
        for pair in pairs:
            if pair[0] < key:
                out.append(pair)
    return out


def used_after(keys, pairs: list):
    for key in keys:
        for pair in pairs:
            if pair[0] == key:
                print(pair)
        print(pair)


def more_in_body(keys, pairs: list):
    for key in keys:
        for pair in pairs:
            print(pair)
            if pair[0] == key:
                break


def otherwise(keys, pairs: list):
    for key in keys:
        for pair in pairs:
            if pair[0] == key:
                break
        else:
            print(key)


def grows(keys, pairs: list):
    for key in keys:
        for pair in pairs:
            if pair[0] == key:
                pairs.append(pair)


def changes_key(keys, rows: list):
    for key in keys:
        for row in rows:
            if row.id == key:
                row.id = None


def changes_probe(keys, rows: list):
    for key in keys:
        for row in rows:
            if row[0] == key:
                key = row[1]


def single(key, rows: list):
    for row in rows:
        if row[0] == key:
            return row


def calls(keys, rows: list, weigh):
    return [[row for row in rows if weigh(row) == key] for key in keys]


def iterator(keys, path):
    with open(path) as rows:
        for key in keys:
            for row in rows:
                if row == key:
                    print(row)
