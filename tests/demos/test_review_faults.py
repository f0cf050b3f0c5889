"""Each rule of the review: what it must find, and what looks like it and must be left alone."""

from __future__ import annotations

import ast
import textwrap

import pytest

from choreia.demos.review.faults import RULES, Fault, find_faults


def faults(source: str) -> list[Fault]:
    return find_faults(ast.parse(textwrap.dedent(source)))


# rule → sources, each with the lines on which the rule must find something
FOUND: dict[str, list[tuple[str, list[int]]]] = {
    "assert-on-tuple": [('assert (x, "message")', [1]), ("assert (x,)", [1])],
    "bare-except": [
        ("try: f()\nexcept: pass", [2]),
        ("try: f()\nexcept ValueError: pass\nexcept: log()", [3]),
        # A raise inside a nested function raises nothing here.
        ("try: f()\nexcept:\n  def g(): raise", [2]),
    ],
    "duplicate-key": [
        ("{'a': 1,\n 'a': 2}", [2]),
        ("{1: 'x',\n True: 'y'}", [2]),
        ("{'a': 1,\n **d,\n 'a': 2,\n 'a': 3}", [3, 4]),
    ],
    "else-without-break": [
        ("for x in y: f()\nelse: g()", [1]),
        ("while x: f()\nelse: g()", [1]),
        ("for x in y:\n  for z in x: break\nelse: g()", [1]),
    ],
    "empty-f-string": [('f"text"', [1]), ("f''", [1]), ('f"{{}}"', [1])],
    "eval-exec": [
        ("eval(text)", [1]),
        ("exec('x = 1')", [1]),
        ("def f(t):\n  return eval(t)", [2]),
    ],
    "except-or": [("try: f()\nexcept A or B: g()", [2])],
    "literal-identity": [
        ("x is 'a'", [1]),
        ("x is not 1", [1]),
        ("x is -1", [1]),
        ("() is x", [1]),
        ("a == b is 3", [1]),
    ],
    "missing-self": [
        ("class A:\n  def f(): pass", [2]),
        ("class A:\n  def f(*, key): pass", [2]),
        ("class A:\n  async def f(): pass", [2]),
    ],
    "mutable-default": [
        ("def f(x=[]): pass", [1]),
        ("def f(*, x={}): pass", [1]),
        ("async def f(a, x=set()): pass", [1]),
        ("f = lambda x=[]: x", [1]),
        ("def f(x=collections.defaultdict(list)): pass", [1]),
        ("def f(x=[i for i in y]): pass", [1]),
    ],
    "none-comparison": [
        ("x == None", [1]),
        ("if None != x: pass", [1]),
        ("print(x == None)", [1]),
    ],
    "raise-not-an-exception": [
        ("raise NotImplemented", [1]),
        ("raise NotImplemented('later')", [1]),
        ("raise 'text'", [1]),
        ("raise f'{x}'", [1]),
    ],
    "redefined-method": [
        ("class A:\n  def f(self): pass\n  def f(self): pass", [3]),
        ("class A:\n  def f(self): pass\n  x = 1\n  async def f(self): pass", [4]),
    ],
    "repeated-mutable": [("[[]] * n", [1]), ("3 * [{}]", [1]), ("[[0] * n] * m", [1])],
    "return-in-finally": [
        ("def f():\n  try: g()\n  finally:\n    return 1", [4]),
        ("for x in y:\n  try: g()\n  finally:\n    continue", [4]),
        ("def f():\n  try: g()\n  finally:\n    for x in y:\n      return x", [5]),
    ],
    "return-in-init": [("class A:\n  def __init__(self):\n    return 1", [3])],
    "self-comparison": [
        ("x < x", [1]),
        ("a.b == a.b", [1]),
        ("a[0] is a[0]", [1]),
        ("y < x < x", [1]),
    ],
    "shadowed-builtin": [
        ("list = [1]", [1]),
        ("def f(type): pass", [1]),
        ("def f():\n  for id in x: pass\n  id = 2", [2]),
        ("import foo as filter", [1]),
        ("def max(a): pass", [1]),
        ("match x:\n  case str: pass", [2]),
        ("with f() as (input, b): pass", [1]),
        ("if (sum := 3): pass", [1]),
    ],
    "swallowed-exception": [
        ("try: f()\nexcept Exception: pass", [2]),
        ("for x in y:\n  try: f()\n  except BaseException: continue", [3]),
        ("try: f()\nexcept Exception as e: ...", [2]),
    ],
    "unreachable-code": [
        ("def f():\n  return 1\n  g()", [3]),
        ("while x:\n  break\n  g()\n  h()", [3]),
        ("for x in y:\n  if x:\n    continue\n    g()", [4]),
        ("try: f()\nexcept A:\n  raise\n  g()", [4]),
        ("def f(x):\n  if x: return 1\n  elif y: return 2\n  else: raise A\n  g()", [5]),
        ("match x:\n  case 1:\n    raise A\n    g()", [4]),
        ("try: f()\nexcept A: pass\nelse:\n  raise A\n  g()\nfinally: pass", [5]),
    ],
    "unreachable-handler": [
        ("try: f()\nexcept Exception: g()\nexcept ValueError: h()", [3]),
        ("try: f()\nexcept (A, BaseException): g()\nexcept (B, C): h()", [3]),
    ],
}

# rule → what looks like its fault and is none
LEFT_ALONE: dict[str, list[str]] = {
    "assert-on-tuple": ["assert x, 'message'", "assert (x)", "assert ()", "assert (x, y) == z"],
    "bare-except": [
        "try: f()\nexcept:\n  undo()\n  raise",
        "try: f()\nexcept:\n  if x: raise Other() from None",
        "try: f()\nexcept Exception: g()",
    ],
    "duplicate-key": ["{'a': 1, 'b': 1}", "{'a': 1, 'a': 1}", "{a: 1, a: 2}", "{1: 2, '1': 3}"],
    "else-without-break": [
        "for x in y:\n  if x: break\nelse: g()",
        "while True: f()\nelse: g()",
        "for x in y: f()",
        "for x in y:\n  for z in x:\n    if z: break\n  else: break\nelse: g()",
        "for x in y:\n  try: f()\n  except A: break\nelse: g()",
    ],
    "empty-f-string": ["f'{x}'", "f'{x:>10}'", "'text'", "'a' f'{x}'", "f'{x!r:{width}}'"],
    "eval-exec": [
        "ast.literal_eval(text)",
        "model.eval()",
        "def eval(x): return x\neval(y)",
        "from numexpr import eval\neval(y)",
        "eval",
    ],
    "except-or": ["try: f()\nexcept (A, B): g()", "try: f()\nexcept A: x or y"],
    "literal-identity": [
        "x is None",
        "x is True",
        "x is ...",
        "x == 'a'",
        "x is y",
        "x is not z()",
    ],
    "missing-self": [
        "class A:\n  @staticmethod\n  def f(): pass",
        "class A:\n  def f(*args): pass",
        "class A:\n  def f(this): pass",
        "def f(): pass",
        "class A(Interface):\n  def f(): pass",
        "class A:\n  def f(): return 1\n  x = f()",
        "class A:\n  def g(self):\n    def f(): pass",
    ],
    "mutable-default": [
        "def f(x=None): pass",
        "def f(x=()): pass",
        "def f(x=frozenset()): pass",
        "def f(x: list = None): pass",
        "def f(x=self.list()): pass",
        "f(x=[])",
    ],
    "none-comparison": [
        "x is None",
        "query.filter(User.name == None)",
        "table[table.x == None]",
        "x == 'None'",
        "query.where((a == None) | (b != None))",
    ],
    "raise-not-an-exception": ["raise NotImplementedError", "raise", "raise x", "raise E('text')"],
    "redefined-method": [
        "class A:\n  @property\n  def f(self): pass\n  @f.setter\n  def f(self, x): pass",
        "class A:\n  def f(self): pass\n  f = wrap(f)\n  def f(self): pass",
        "class A:\n  def f(self): pass\nclass B:\n  def f(self): pass",
        "class A:\n  if x:\n    def f(self): pass\n  else:\n    def f(self): pass",
        "class A:\n  @overload\n  def f(self): ...\n  def f(self, x=1): pass",
    ],
    "repeated-mutable": ["[0] * n", "[()] * n", "[[]] * 1", "[x] * n", "[None] * 3", "'[]' * 3"],
    "return-in-finally": [
        "def f():\n  try: return 1\n  finally: g()",
        "try: g()\nfinally:\n  for x in y:\n    if x: break",
        "try: g()\nfinally:\n  def f(): return 1",
        "try: g()\nfinally:\n  f = lambda: 1",
    ],
    "return-in-init": [
        "class A:\n  def __init__(self): return",
        "class A:\n  def __init__(self): return None",
        "class A:\n  def __init__(self):\n    def f(): return 1",
        "class A:\n  def other(self): return 1",
        "class A:\n  def __init__(self): return super().__init__()",
    ],
    "self-comparison": ["x != x", "f() == f()", "a[0] == a[1]", "x.a < x.b", "next(i) < next(i)"],
    "shadowed-builtin": [
        "class A:\n  id = 1\n  def open(self): pass",
        "x.list = 1",
        "def f(len=len): pass",
        "[id for id in x]",
        "__all__ = ['open']\ndef open(): pass",
        "__all__: list[str] = ['open']\ndef open(): pass",
        "import builtins.open",
        "f(type=1)",
        "lists = []",
    ],
    "swallowed-exception": [
        "try: f()\nexcept KeyError: pass",
        "try: f()\nexcept Exception: log()",
        "try: f()\nexcept Exception: x = None",
        "try: f()\nexcept: pass",
    ],
    "unreachable-code": [
        "def f():\n  return\n  yield",
        "def f(x):\n  if x: return 1\n  g()",
        "def f(x):\n  if x: return 1\n  else: g()\n  h()",
        "def f(x):\n  if x: return 1\n  elif y: return 2\n  g()",
        "while x:\n  if y: break\n  g()",
        "def f():\n  g()\n  return 1",
        "def f():\n  with a: return 1\n  g()",
    ],
    "unreachable-handler": [
        "try: f()\nexcept ValueError: g()\nexcept Exception: h()",
        "try: f()\nexcept Exception: g()\nexcept KeyboardInterrupt: h()",
        "try: f()\nexcept Exception: g()\nexcept: h()",
    ],
}


@pytest.mark.parametrize(
    ("rule", "source", "lines"),
    [(rule, source, lines) for rule, cases in FOUND.items() for source, lines in cases],
)
def test_a_rule_finds_its_fault(rule: str, source: str, lines: list[int]) -> None:
    assert [fault.line for fault in faults(source) if fault.rule == rule] == lines


@pytest.mark.parametrize(
    ("rule", "source"),
    [(rule, source) for rule, sources in LEFT_ALONE.items() for source in sources],
)
def test_a_rule_leaves_look_alikes_alone(rule: str, source: str) -> None:
    assert [fault for fault in faults(source) if fault.rule == rule] == []


def test_every_rule_is_named_once_described_and_tested_both_ways() -> None:
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert set(names) == set(FOUND) == set(LEFT_ALONE)
    for rule in RULES:
        assert rule.about.endswith(".")
        assert rule.severity in ("low", "medium", "high")
        assert 0 < rule.confidence < 1


def test_a_fault_says_where_it_is_and_how_bad() -> None:
    source = """
    class A:
        def f(self):
            return eval(self.x)
    """
    assert faults(source) == [
        Fault(4, 16, "eval-exec", "A.f", "high", 0.7, "eval runs whatever it is given")
    ]


def test_a_fault_of_a_definition_names_the_definition() -> None:
    (fault,) = faults("class A:\n  def f(self, x=[]): pass")
    assert fault.symbol == "A.f"


def test_evidence_changes_the_confidence() -> None:
    def confidence(source: str) -> float:
        return faults(source)[0].confidence

    usual = confidence("def f(x=[]): return x[0]")
    assert confidence("def f(x=[]): x.append(1)") > usual
    assert confidence("def f(x={}): x['a'] = 1") > usual
    assert confidence("def f(x=[]): x += [1]") > usual
    assert confidence("def f(_cache={}): _cache['a'] = 1") < usual
    assert confidence("eval('1')") < confidence("eval(x)")
    assert confidence("x == x") < confidence("x < x")


def test_messages_quote_hostile_keys_harmlessly() -> None:
    (fault,) = faults(r"{'\x1b[2J\ud800': 1, '\x1b[2J\ud800': 2}")
    assert fault.message.isprintable()
    fault.message.encode()
    (fault,) = faults(f"{{'{'k' * 1000}': 1, '{'k' * 1000}': 2}}")
    assert len(fault.message) < 100


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "+".join(["1"] * 2500),
        "x" + ".a" * 2500 + " == x" + ".a" * 2500,
        "".join(f"{'el' if i else ''}if x == {i}: raise A\n" for i in range(500)) + "f()",
        "def f(x=[]):\n  x" + "[0]" * 2500 + " = 1",
        "{'a': " + "-" * 2500 + "1, 'a': " + "-" * 2500 + "2}",
    ],
    ids=["sum", "attributes", "elifs", "subscripts", "keys"],
)
def test_deep_trees_do_not_exhaust_the_stack(source: str) -> None:
    find_faults(ast.parse(source))
