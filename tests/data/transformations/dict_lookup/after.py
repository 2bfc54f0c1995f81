def orders_of(customers: list[dict], orders: list[dict]) -> list[tuple]:
    joined = []
    orders_by_key = {}
    for each_order in orders:
        orders_by_key.setdefault(each_order['customer'], []).append(each_order)
    for customer in customers:
        for order in orders_by_key.get(customer["id"], ()):
            if order["paid"]:
                joined.append((customer["name"], order["total"]))
    return joined


def first_of(keys: list[int], pairs: list[tuple[int, str]]) -> list[str]:
    found = []
    pairs_by_key = {}
    for each_number, each_name in pairs:
        pairs_by_key.setdefault(each_number, []).append((each_number, each_name))
    for key in keys:
        for number, name in pairs_by_key.get(key, ()):
            found.append(name)
            break
    return found


def defaults(keys: list[int], pairs: list[tuple[int, str]]) -> list:
    pairs_by_key_2 = {}
    for each_pair in pairs:
        pairs_by_key_2.setdefault(each_pair[0], []).append(each_pair)
    return [next((pair[1] for pair in pairs_by_key_2.get(key, ())), "?") for key in keys]


def run(customers: list[dict], orders: list[dict], keys: list[int], pairs: list[tuple[int, str]]) -> object:
    return orders_of(customers, orders), first_of(keys, pairs), defaults(keys, pairs)


def example():
    customers = [{"id": i, "name": f"c{i}"} for i in range(300)]
    orders = [{"customer": i % 300, "paid": i % 3 > 0, "total": i} for i in range(600)]
    return customers, orders, list(range(0, 600, 2)), [(i, f"p{i}") for i in range(600)]
