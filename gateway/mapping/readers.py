"""The readers of the read layer, each compiled once to a function of the record's scope."""

import re
from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal, InvalidOperation
from typing import Any

from gateway.mapping.answers import NO_VALUE, answer_of, compile_marks, is_marked
from gateway.mapping.codes import fold, tells_of_justice
from gateway.mapping.compiler import Compiler, Expression, Location, kind_of
from gateway.mapping.conditions import compile_condition, compile_name
from gateway.mapping.date_reader import compile_date
from gateway.mapping.paths import Path, leaf_text
from gateway.mapping.scope import Scope

ReaderCompiler = Callable[[Compiler, dict[str, Any], Location], Expression]


def compile_expression(compiler: Compiler, node: Any, at: Location) -> Expression:
    """Compile a constant, a list, an object or a reader; a mistake is noted in the compiler."""
    if isinstance(node, list):
        return _list([compile_expression(compiler, one, (*at, n)) for n, one in enumerate(node)])
    if not isinstance(node, dict):
        return lambda scope: node
    word = next((word for word in READERS if word in node), None)
    if word is None:
        return _members(compiler, node, at)
    options, compile_reader = READERS[word]
    if unknown := sorted(str(name) for name in node if name != word and name not in options and name != "required"):
        known = ", ".join((*options, "required"))
        compiler.problem((*at, unknown[0]), f"expected options of {word!r} ({known}), found {unknown[0]!r}")
    expression = compile_reader(compiler, node, at)
    return _required(expression, str(node[word])) if node.get("required") is True else expression


def _members(compiler: Compiler, node: dict[str, Any], at: Location) -> Expression:
    members: dict[str, Expression] = {}
    for name, one in node.items():
        with compiler.member(str(name), (*at, name)):
            members[str(name)] = compile_expression(compiler, one, (*at, name))
    return _object(members)


def _required(expression: Expression, what: str) -> Expression:
    def run(scope: Scope) -> Any:
        value = expression(scope)
        if value is None:
            scope.reject("required-missing", f"expected a value in {what}, found none that can be read")
        return value

    return run


def _list(parts: list[Expression]) -> Expression:
    def run(scope: Scope) -> list[Any] | None:
        found: list[Any] = []
        for part in parts:
            _add(found, part(scope))
        return found or None

    return run


def _add(found: list[Any], value: Any) -> None:
    """Append a value, splice a list, drop what is empty or already there."""
    if value is None:
        return
    for one in value if type(value) is list else (value,):
        if one not in found:
            found.append(one)


def _object(members: dict[str, Expression]) -> Expression:
    pairs = list(members.items())

    def run(scope: Scope) -> dict[str, Any] | None:
        return {name: value for name, part in pairs if (value := part(scope)) is not None} or None

    return run


def _path_or_expression(compiler: Compiler, node: Any, at: Location) -> Expression:
    """A plain text here is a path; an object is an expression of its own."""
    if isinstance(node, dict):
        return compile_expression(compiler, node, at)
    return compiler.path(node, at).text


def _from(compiler: Compiler, node: dict[str, Any], at: Location) -> Expression:
    path = compiler.path(node["from"], (*at, "from"))
    default, wanted = node.get("default"), node.get("as")
    if wanted not in (None, *_CASTS):
        compiler.problem((*at, "as"), f"expected one of {', '.join(_CASTS)}, found {wanted!r}")
    cast = _CASTS.get(wanted or "")
    if cast is None:
        return path.text if default is None else lambda scope: path.text(scope) or default

    def run(scope: Scope) -> Any:
        text = path.text(scope)
        value = None if text is None else cast(text)
        if text is not None and value is None:
            scope.note("value-unreadable", path.source, f"expected {wanted}, found another text")
        return default if value is None else value

    return run


_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


def _integer(text: str) -> int | None:
    return int(text) if _WHOLE.fullmatch(text) else None


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _boolean(text: str) -> bool | None:
    answer = answer_of(text)
    return None if answer not in ("yes", "no") else answer == "yes"


_CASTS: dict[str, Callable[[str], Any]] = {"integer": _integer, "number": _number, "boolean": _boolean}


def _all(compiler: Compiler, node: dict[str, Any], at: Location) -> Expression:
    path = compiler.path(node["all"], (*at, "all"), many=True)
    return lambda scope: list(dict.fromkeys(path.texts(scope))) or None


def _value(compiler: Compiler, node: dict[str, Any], at: Location) -> Expression:
    return _fresh(node["value"])


def _fresh(value: Any) -> Expression:
    """Give every record its own copy of a constant, so that nobody changes the mapping through a Bundle."""
    if isinstance(value, dict | list):
        return lambda scope: deepcopy(value)
    return lambda scope: value


def _read(compiler: Compiler, node: dict[str, Any], at: Location) -> Expression:
    return compile_name(compiler, node["read"], (*at, "read"))


def _parts(compiler: Compiler, node: Any, at: Location) -> list[Expression]:
    if not isinstance(node, list) or not node:
        compiler.problem(at, f"expected a list of expressions, found {kind_of(node)}")
        return []
    return [compile_expression(compiler, one, (*at, n)) for n, one in enumerate(node)]


def _first(compiler: Compiler, node: dict[str, Any], at: Location) -> Expression:
    parts = _parts(compiler, node["first"], (*at, "first"))

    def run(scope: Scope) -> Any:
        for part in parts:
            if (value := part(scope)) is not None:
                return value
        return None

    return run


def _concat(compiler: Compiler, node: dict[str, Any], at: Location) -> Expression:
    parts = _parts(compiler, node["concat"], (*at, "concat"))
    mark = str(node.get("with", " "))
    return lambda scope: mark.join(str(value) for part in parts if (value := part(scope)) is not None) or None


def _union(compiler: Compiler, node: dict[str, Any], at: Location) -> Expression:
    return _list(_parts(compiler, node["union"], (*at, "union")))


def _count(compiler: Compiler, node: dict[str, Any], at: Location) -> Expression:
    nodes = compiler.path(node["count"], (*at, "count"), many=True).nodes
    return lambda scope: len(nodes(scope))


def _map(compiler: Compiler, node: dict[str, Any], at: Location) -> Expression:
    table = node["map"]
    if not isinstance(table, dict) or "from" not in node:
        compiler.problem(at, "expected {map: {SOURCE: VALUE, ...}, from: PATH}")
        return lambda scope: None
    for key in table:
        if isinstance(key, bool):
            compiler.problem((*at, "map"), "YAML reads a key here as true or false; put Yes, No, On, Off in quotes")
    by_text = {fold(str(key)): _fresh(value) for key, value in table.items()}
    source = _path_or_expression(compiler, node["from"], (*at, "from"))
    default, name = node.get("default"), compiler.path_name(node["from"])

    def run(scope: Scope) -> Any:
        text = source(scope)
        if text is None:
            return default
        key = fold(str(text))
        if key in by_text:
            return by_text[key](scope)
        if default is None:
            scope.note("unmapped-value", name, "expected a value of the map, found another")
        return default

    return run


def _code(compiler: Compiler, node: dict[str, Any], at: Location) -> Expression:
    source = _path_or_expression(compiler, node["code"], (*at, "code"))
    table = compiler.table(node.get("codes"), (*at, "codes"))
    extra = _with(compiler, node, at)
    name = compiler.path_name(node["code"])
    unmapped = f"expected a code of the table {table.name}, found another"

    def run(scope: Scope) -> Any:
        text = source(scope)
        if text is None:
            return None
        item = table.item_of(str(text))
        if item is None:
            if tells_of_justice(str(text)):
                scope.note("unmapped-justice", name, f"{unmapped}; it speaks of criminal justice and is withheld")
                return None
            scope.note("unmapped-code", name, f"{unmapped}; kept as text")
            item = {"text": text}
        return item if extra is None else {**item, **(extra(scope) or {})}

    return run


def _with(compiler: Compiler, node: dict[str, Any], at: Location) -> Expression | None:
    if "with" not in node:
        return None
    return compile_expression(compiler, node["with"], (*at, "with"))


def _flags(compiler: Compiler, node: dict[str, Any], at: Location) -> Expression:
    if not isinstance(node["flags"], dict):
        compiler.problem(at, f"expected {{flags: {{PATH: CODE, ...}}}}, found {kind_of(node['flags'])}")
        return lambda scope: None
    table = compiler.table(node["codes"], (*at, "codes")) if "codes" in node else None
    extra = _with(compiler, node, at)
    flags: list[tuple[Path, dict[str, Any]]] = []
    for source, code in node["flags"].items():
        here = (*at, "flags", source)
        path = compiler.path(source, here, many=True)
        if table is not None and code not in table.by_target:
            compiler.problem(here, f"expected a target_code of the table {table.name}, found {code!r}")
        item = table.item_for(str(code)) if table is not None else {"code": str(code)}
        flags.append((path, {**item, "@from": path.source}))

    def run(scope: Scope) -> list[dict[str, Any]] | None:
        found = [item.copy() for path, item in flags if is_marked(scope, path)]
        if found and extra is not None:
            more = extra(scope) or {}
            found = [{**item, **more} for item in found]
        return found or None

    return run


def _checked(compiler: Compiler, node: dict[str, Any], at: Location) -> Expression:
    sources = node["checked"] if isinstance(node["checked"], list) else [node["checked"]]
    return compile_marks([compiler.path(source, (*at, "checked"), many=True) for source in sources])


def _answer(compiler: Compiler, node: dict[str, Any], at: Location) -> Expression:
    path = compiler.path(node["answer"], (*at, "answer"))

    def run(scope: Scope) -> str | None:
        text = path.text(scope)
        if text is None or fold(text) in NO_VALUE:
            return None
        answer = answer_of(text)
        if answer is None:
            scope.note("answer-unreadable", path.source, "expected yes, no or a kind of unknown, found another text")
        return answer

    return run


def _split(compiler: Compiler, node: dict[str, Any], at: Location) -> Expression:
    path = compiler.path(node["split"], (*at, "split"), many=True)
    mark = str(node.get("by", ";"))
    with compiler.inside_loop(path.source, False):
        body = compile_expression(compiler, node["do"], (*at, "do")) if "do" in node else None

    def run(scope: Scope) -> list[Any] | None:
        parts = [part for text in path.texts(scope) for one in text.split(mark) if (part := one.strip())]
        return _each_of(scope, parts, body, None)

    return run


def _each(compiler: Compiler, node: dict[str, Any], at: Location) -> Expression:
    is_rows = node["each"] == "rows" and compiler.kind == "column"
    path = None if is_rows else compiler.path(node["each"], (*at, "each"), many=True)
    with compiler.inside_loop(str(node["each"]), is_rows):
        body = compile_expression(compiler, node["do"], (*at, "do")) if "do" in node else None
        condition = compile_condition(compiler, node["when"], (*at, "when")) if "when" in node else None

    def run(scope: Scope) -> list[Any] | None:
        items = list(scope.rows) if path is None else path.nodes(scope)
        return _each_of(scope, [scope.follow(item) for item in items], body, condition)

    return run


def _each_of(
    scope: Scope, items: list[Any], body: Expression | None, condition: Callable[[Scope], bool] | None
) -> list[Any] | None:
    found: list[Any] = []
    before = scope.node
    for item in items:
        scope.node = item
        if condition is None or condition(scope):
            _add(found, leaf_text(scope, item) if body is None else body(scope))
    scope.node = before
    return found or None


def _when(compiler: Compiler, node: dict[str, Any], at: Location) -> Expression:
    condition = compile_condition(compiler, node["when"], (*at, "when"))
    if "then" not in node:
        compiler.problem(at, "expected `then:` beside `when:`")
    then = compile_expression(compiler, node.get("then"), (*at, "then"))
    otherwise = compile_expression(compiler, node.get("else"), (*at, "else"))
    return lambda scope: then(scope) if condition(scope) else otherwise(scope)


# Word -> (its options, its compiler). The first word of this order that an object has decides what it is.
READERS: dict[str, tuple[tuple[str, ...], ReaderCompiler]] = {
    "each": (("do", "when"), _each),
    "split": (("by", "do"), _split),
    "map": (("from", "default"), _map),
    "code": (("codes", "with"), _code),
    "flags": (("codes", "with"), _flags),
    "date": (("in", "time", "time_in", "zone", "future"), compile_date),
    "concat": (("with",), _concat),
    "when": (("then", "else"), _when),
    "from": (("default", "as"), _from),
    "all": ((), _all),
    "value": ((), _value),
    "read": ((), _read),
    "first": ((), _first),
    "union": ((), _union),
    "count": ((), _count),
    "checked": ((), _checked),
    "answer": ((), _answer),
}
