class A:
    def __init__(self):
        self.a = 1


def main():
    return sorted(getattr(A(), "__dict__"))
