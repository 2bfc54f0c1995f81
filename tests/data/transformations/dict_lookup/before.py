def orders_of(customers: list[dict], orders: list[dict]) -> list[tuple]:
    joined = []
    for customer in customers:
        for order in orders:
            if order["customer"] == customer["id"] and order["paid"]:
                joined.append((customer["name"], order["total"]))
    return joined


def first_of(keys: list[int], pairs: list[tuple[int, str]]) -> list[str]:
    found = []
    for key in keys:
        for number, name in pairs:
            if number == key:
                found.append(name)
                break
    return found


def defaults(keys: list[int], pairs: list[tuple[int, str]]) -> list:
    return [next((pair[1] for pair in pairs if pair[0] == key), "?") for key in keys]


def run(customers: list[dict], orders: list[dict], keys: list[int], pairs: list[tuple[int, str]]) -> object:
    return orders_of(customers, orders), first_of(keys, pairs), defaults(keys, pairs)


def example():
    customers = [{"id": i, "name": f"c{i}"} for i in range(300)]
    orders = [{"customer": i % 300, "paid": i % 3 > 0, "total": i} for i in range(600)]
    return customers, orders, list(range(0, 600, 2)), [(i, f"p{i}") for i in range(600)]
