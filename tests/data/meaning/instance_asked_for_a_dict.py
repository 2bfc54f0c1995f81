class A:
    def __init__(self):
        self.a = 1


def main():
    return hasattr(A(), "__dict__")
