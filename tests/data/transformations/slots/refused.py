import dataclasses


class Base:
    def __init__(self):
        self.a = 1


class Derived(Base):
    def __init__(self):
        super().__init__()
        self.b = 2


@dataclasses.dataclass
class Decorated:
    a: int

    def __init__(self):
        self.a = 1


class Meta(metaclass=type):
    def __init__(self):
        self.a = 1


class Default:
    a = 0

    def __init__(self):
        self.a = 1


class Outside:
    def __init__(self):
        self.a = 1


thing = Outside()
thing.other = 3


class Private:
    def __init__(self):
        self.__a = 1


class Without:
    def method(self):
        self.a = 1
