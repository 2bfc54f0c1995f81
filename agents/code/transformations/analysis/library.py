"""What is known of the builtins and the standard library: which of their functions are pure."""

from __future__ import annotations

__all__ = [
    "ERROR_ENDINGS",
    "IMPURE_FUNCTIONS",
    "MATCH_METHODS",
    "PATTERN_METHODS",
    "PURE_BUILTINS",
    "PURE_CONSTANTS",
    "PURE_FUNCTIONS",
    "PURE_MODULES",
]

PURE_BUILTINS = frozenset(
    [
        "abs", "all", "any", "ascii", "bin", "bool", "bytes", "chr", "complex", "dict", "divmod", "enumerate",
        "filter", "float", "format", "frozenset", "hex", "int", "isinstance", "issubclass", "len", "list", "map",
        "max", "min", "oct", "ord", "pow", "range", "repr", "reversed", "round", "set", "sorted", "str", "sum",
        "tuple", "zip", "slice"
    ]
)  # fmt: skip
PURE_MODULES = frozenset({"math", "operator", "itertools", "statistics", "unicodedata", "cmath", "textwrap", "bisect"})
PURE_FUNCTIONS = frozenset(
    [
        "re.match", "re.search", "re.fullmatch", "re.findall", "re.finditer", "re.sub", "re.split", "re.escape",
        "re.compile", "collections.Counter", "collections.deque", "collections.defaultdict",
        "collections.OrderedDict", "heapq.nsmallest", "heapq.nlargest", "json.loads", "json.dumps",
        "string.capwords", "html.escape", "html.unescape", "zlib.crc32", "datetime.datetime.strptime",
        "datetime.date.fromisoformat", "datetime.datetime.fromisoformat", "decimal.Decimal", "fractions.Fraction",
        "urllib.parse.quote", "urllib.parse.unquote", "urllib.parse.urlparse", "urllib.parse.urlsplit",
        "os.path.join", "os.path.basename", "os.path.splitext", "os.path.dirname", "difflib.get_close_matches",
        "base64.b64encode", "base64.b64decode", "binascii.hexlify", "copy.copy", "copy.deepcopy",
        "functools.reduce"
    ]
)  # fmt: skip
IMPURE_FUNCTIONS = frozenset({"bisect.insort", "bisect.insort_left", "bisect.insort_right"})
PURE_CONSTANTS = ("math.", "string.", "re.", "cmath.", "sys.maxsize")
MATCH_METHODS = frozenset({"group", "groups", "groupdict", "start", "end", "span"})
PATTERN_METHODS = frozenset({"match", "search", "fullmatch", "findall", "finditer", "sub", "split", "subn"})
ERROR_ENDINGS = ("Error", "Exception", "Warning", "Exit", "Iteration")
