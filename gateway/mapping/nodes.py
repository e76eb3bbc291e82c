"""The write layer's nodes: a tree that looks like the resource, compiled to functions that build it.

Text beginning with `$` takes a named value, a member beginning with `$` is an instruction, all else is constant.
A function returns None for what is empty, and its parent leaves it out.
"""

import base64
import html
from collections.abc import Callable
from typing import Any

from gateway.mapping.compiler import Location, kind_of
from gateway.mapping.writer import Variables, Writer, WriteScope

Node = Callable[[Variables, Writer], Any]


def compile_node(scope: WriteScope, node: Any, at: Location) -> Node:
    """Compile one node of a `set:` tree; a mistake is noted in the scope."""
    if isinstance(node, str) and node.startswith("$"):
        return _constant(node[1:]) if node.startswith("$$") else compile_variable(scope, node, at)
    if is_constant(node) and (copier := _copier(node)) is not None:
        return copier
    if isinstance(node, list):
        return _list([compile_node(scope, one, (*at, n)) for n, one in enumerate(node)])
    if isinstance(node, dict):
        return _dict(scope, node, at)
    return _constant(node)


def _copier(tree: Any) -> Node | None:
    """Copy a constant that has the shape of a coding or a concept, as most have, in one step; None for other shapes."""
    if isinstance(tree, dict) and all(map(_is_scalar, tree.values())):
        return lambda v, w: tree.copy()
    if _is_flat_list(tree):
        return lambda v, w: [one.copy() for one in tree]
    if isinstance(tree, dict) and len(tree) == 1 and _is_flat_list(next(iter(tree.values()))):
        [(name, items)] = tree.items()
        return lambda v, w: {name: [one.copy() for one in items]}
    return None


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _is_flat_list(tree: Any) -> bool:
    return isinstance(tree, list) and all(isinstance(one, dict) and all(map(_is_scalar, one.values())) for one in tree)


def compile_parts(scope: WriteScope, nodes: list[Any], at: Location) -> Callable[[Variables, Writer], list[Any]]:
    """Compile the parts of an id: constants are laid out once."""
    base = [one if is_constant(one) else None for one in nodes]
    moving = [(n, compile_node(scope, one, (*at, n))) for n, one in enumerate(nodes) if not is_constant(one)]

    def run(v: Variables, w: Writer) -> list[Any]:
        out = base.copy()
        for n, part in moving:
            out[n] = part(v, w)
        return out

    return run


def _constant(value: Any) -> Node:
    return lambda v, w: value


def compile_variable(scope: WriteScope, text: str, at: Location) -> Node:
    """Compile `$name` or `$name.member.member`."""
    name, *members = text[1:].split(".")
    if not name:
        scope.problem(at, "expected a name after '$'; a text that begins with a real $ is written $$")
    scope.names_used.add(name)
    if not members:
        return lambda v, w: v.get(name)
    if len(members) == 1:
        member = members[0]

        def one(v: Variables, w: Writer) -> Any:
            value = v.get(name)
            return value.get(member) if type(value) is dict else None

        return one

    def many(v: Variables, w: Writer) -> Any:
        value = v.get(name)
        for member in members:
            value = value.get(member) if type(value) is dict else None
        return value

    return many


def _list(parts: list[Node]) -> Node:
    def run(v: Variables, w: Writer) -> list[Any] | None:
        found: list[Any] = []
        for part in parts:
            value = part(v, w)
            if type(value) is list:
                found += value
            elif value is not None:
                found.append(value)
        return found or None

    if len(parts) == 1:
        only = parts[0]

        def single(v: Variables, w: Writer) -> list[Any] | None:
            value = only(v, w)
            return None if value is None else value if type(value) is list else [value]

        return single
    return run


def is_constant(node: Any) -> bool:
    """Tell whether a tree has no variable and no instruction anywhere."""
    if isinstance(node, str):
        return not node.startswith("$")
    if isinstance(node, list):
        return all(map(is_constant, node))
    if isinstance(node, dict):
        return not any(str(name).startswith("$") for name in node) and all(map(is_constant, node.values()))
    return True


def _dict(scope: WriteScope, node: dict[str, Any], at: Location) -> Node:
    words = [name for name in node if isinstance(name, str) and name.startswith("$")]
    if "$when" in words and "$each" not in words:
        return _when(scope, node, at)
    word = next((name for name in words if name in INSTRUCTIONS), None)
    if word is not None:
        return INSTRUCTIONS[word](scope, node, at)
    if words:
        scope.problem((*at, words[0]), f"expected an instruction ({' '.join(INSTRUCTIONS)} $when), found {words[0]}")
    return compile_members(scope, node, at)


def _when(scope: WriteScope, node: dict[str, Any], at: Location) -> Node:
    """`{$when: C, $then: A, $else: B}`, or `{$when: C, ...}` around any object or other instruction."""
    condition = compile_write_condition(scope, node["$when"], (*at, "$when"))
    if "$then" in node:
        then = compile_node(scope, node["$then"], (*at, "$then"))
        otherwise = compile_node(scope, node.get("$else"), (*at, "$else"))
        return lambda v, w: then(v, w) if condition(v, w) else otherwise(v, w)
    body = _dict(scope, {name: value for name, value in node.items() if name != "$when"}, at)
    return lambda v, w: body(v, w) if condition(v, w) else None


def compile_members(scope: WriteScope, node: dict[str, Any], at: Location) -> Node:
    """Compile an object: constants are laid out once, the rest is filled in, in the order written.

    Every Bundle gets its own copies, so that who changes a resource later does not change the mapping.
    """
    base: dict[str, Any] = {}
    moving: list[tuple[str, Node]] = []
    for name, value in node.items():
        base[name] = None
        if is_constant(value) and not isinstance(value, dict | list):
            base[name] = value
        else:
            moving.append((name, compile_node(scope, value, (*at, name))))
    if not moving:
        return lambda v, w: base.copy()

    def run(v: Variables, w: Writer) -> dict[str, Any] | None:
        out = base.copy()
        for name, part in moving:
            value = part(v, w)
            if value is None:
                del out[name]
            else:
                out[name] = value
        return out or None

    return run


def compile_write_condition(scope: WriteScope, node: Any, at: Location) -> Callable[[Variables, Writer], bool]:
    """Compile a condition of the write layer: a node that has a value, or $is, $not, $every, $any."""
    if isinstance(node, dict) and "$is" in node:
        return _is(scope, node["$is"], (*at, "$is"))
    if isinstance(node, dict) and "$not" in node:
        inner = compile_write_condition(scope, node["$not"], (*at, "$not"))
        return lambda v, w: not inner(v, w)
    for word, decides in (("$every", False), ("$any", True)):
        if isinstance(node, dict) and word in node:
            return _combined(scope, node[word], (*at, word), decides)
    value = compile_node(scope, node, at)
    return lambda v, w: bool(value(v, w))


def _is(scope: WriteScope, nodes: list[Any], at: Location) -> Callable[[Variables, Writer], bool]:
    value = compile_node(scope, nodes[0], (*at, 0))
    if all(isinstance(one, str) and is_constant(one) for one in nodes[1:]):
        wanted = frozenset(nodes[1:])
        return lambda v, w: value(v, w) in wanted
    others = [compile_node(scope, one, (*at, n)) for n, one in enumerate(nodes[1:], 1)]

    def run(v: Variables, w: Writer) -> bool:
        found = value(v, w)
        return found is not None and found in [other(v, w) for other in others]

    return run


def _combined(scope: WriteScope, nodes: Any, at: Location, decides: bool) -> Callable[[Variables, Writer], bool]:
    """Combine conditions: the first that is `decides` decides."""
    if not isinstance(nodes, list):
        scope.problem(at, f"expected a list of conditions, found {kind_of(nodes)}")
        return lambda v, w: False
    parts = [compile_write_condition(scope, one, (*at, n)) for n, one in enumerate(nodes)]

    def run(v: Variables, w: Writer) -> bool:
        for part in parts:  # a loop, not any(): this runs a hundred times a record
            if part(v, w) is decides:
                return decides
        return not decides

    return run


def _ref(scope: WriteScope, node: dict[str, Any], at: Location) -> Node:
    name = _block_name(scope, node["$ref"], (*at, "$ref"))
    extra = [(key, compile_node(scope, value, (*at, key))) for key, value in node.items() if key not in _REF_WORDS]
    key_of = compile_node(scope, node["$of"], (*at, "$of")) if "$of" in node else None
    if key_of is None and not extra:
        return lambda v, w: {"reference": w.refs[name]} if name in w.refs else None

    def run(v: Variables, w: Writer) -> dict[str, Any] | None:
        reference = w.refs.get(name if key_of is None else (name, key_of(v, w)))
        if reference is None:
            return None
        out: dict[str, Any] = {"reference": reference}
        for key, part in extra:
            if (value := part(v, w)) is not None:
                out[key] = value
        return out

    return run


_REF_WORDS = ("$ref", "$of")


def _block_name(scope: WriteScope, name: Any, at: Location) -> str:
    if name not in scope.blocks:
        known = ", ".join(sorted(scope.blocks)) or "none so far"
        scope.problem(at, f"expected the name of a block written before ({known}), found {name!r}")
    return str(name)


def _refs(scope: WriteScope, node: dict[str, Any], at: Location) -> Node:
    name = _block_name(scope, node["$refs"], (*at, "$refs"))
    return lambda v, w: [{"reference": one} for one in w.lists.get(name, ())] or None


def _targets(scope: WriteScope, node: dict[str, Any], at: Location) -> Node:
    unit = compile_node(scope, node["$targets"], (*at, "$targets"))
    return lambda v, w: [{"reference": one} for one in w.authored.get(unit(v, w), ())] or None


def _each(scope: WriteScope, node: dict[str, Any], at: Location) -> Node:
    items = compile_node(scope, node["$each"], (*at, "$each"))
    name = str(node.get("$as", "item"))
    condition = compile_write_condition(scope, node["$when"], (*at, "$when")) if "$when" in node else None
    body = compile_node(scope, node.get("$do", f"${name}"), (*at, "$do"))

    def run(v: Variables, w: Writer) -> list[Any] | None:
        found: list[Any] = []
        for item in items(v, w) or ():
            v[name] = item
            if condition is None or condition(v, w):
                value = body(v, w)
                if type(value) is list:
                    found += value
                elif value is not None:
                    found.append(value)
        v.pop(name, None)
        return found or None

    return run


def _switch(scope: WriteScope, node: dict[str, Any], at: Location) -> Node:
    chosen = compile_node(scope, node["$switch"], (*at, "$switch"))
    named = {name: value for name, value in node.items() if name not in ("$switch", "$else")}
    cases = {name: compile_node(scope, value, (*at, name)) for name, value in named.items()}
    otherwise = compile_node(scope, node.get("$else"), (*at, "$else"))
    return lambda v, w: cases.get(chosen(v, w), otherwise)(v, w)


def _first(scope: WriteScope, node: dict[str, Any], at: Location) -> Node:
    parts = [compile_node(scope, one, (*at, "$first", n)) for n, one in enumerate(node["$first"])]

    def run(v: Variables, w: Writer) -> Any:
        for part in parts:
            if (value := part(v, w)) is not None:
                return value
        return None

    return run


def _concept(scope: WriteScope, node: dict[str, Any], at: Location) -> Node:
    item_of = compile_node(scope, node["$concept"], (*at, "$concept"))
    system = node.get("$system")

    def run(v: Variables, w: Writer) -> dict[str, Any] | None:
        item = item_of(v, w)
        if type(item) is not dict:
            return None
        text = item.get("text") or item.get("display")
        code = item.get("code")
        if code is None:
            return {"text": text} if text else None
        coding = {"system": system, "code": code}
        if display := item.get("display"):
            coding["display"] = display
        return {"coding": [coding], "text": text} if text else {"coding": [coding]}

    return run


def _texts(scope: WriteScope, nodes: Any, at: Location) -> Callable[[Variables, Writer], list[str]]:
    listed = compile_node(scope, nodes if isinstance(nodes, list) else [nodes], at)
    return lambda v, w: [str(value) for value in listed(v, w) or ()]


def _text(scope: WriteScope, node: dict[str, Any], at: Location) -> Node:
    texts = _texts(scope, node["$text"], (*at, "$text"))
    mark = str(node.get("$with", " "))
    return lambda v, w: mark.join(texts(v, w)) or None


def _base64(scope: WriteScope, node: dict[str, Any], at: Location) -> Node:
    text = compile_node(scope, node["$base64"], (*at, "$base64"))

    def run(v: Variables, w: Writer) -> str | None:
        value = text(v, w)
        return None if value is None else base64.b64encode(str(value).encode()).decode("ascii")

    return run


def _xhtml(scope: WriteScope, node: dict[str, Any], at: Location) -> Node:
    texts = _texts(scope, node["$xhtml"], (*at, "$xhtml"))

    def run(v: Variables, w: Writer) -> str | None:
        lines = "".join(f"<p>{html.escape(line)}</p>" for line in texts(v, w))
        return f'<div xmlns="http://www.w3.org/1999/xhtml">{lines}</div>' if lines else None

    return run


def _only(scope: WriteScope, node: dict[str, Any], at: Location) -> Node:
    items = compile_node(scope, node["$only"], (*at, "$only"))
    return lambda v, w: found[0] if type(found := items(v, w)) is list and len(found) == 1 else None


def _id(scope: WriteScope, node: dict[str, Any], at: Location) -> Node:
    parts = compile_parts(scope, node["$id"], (*at, "$id"))
    hangs_on = str(node.get("$scope", "record"))
    return lambda v, w: w.id_of(hangs_on, parts(v, w))


def _instant(scope: WriteScope, node: dict[str, Any], at: Location) -> Node:
    value = compile_node(scope, node["$instant"], (*at, "$instant"))
    return lambda v, w: text if (text := value(v, w)) and "T" in text else None


def _registered(scope: WriteScope, node: dict[str, Any], at: Location) -> Node:
    system, value = (compile_node(scope, one, (*at, "$registered", n)) for n, one in enumerate(node["$registered"]))

    def run(v: Variables, w: Writer) -> dict[str, Any] | None:
        identifier = value(v, w)
        known = None if identifier is None else w.context.agencies(str(system(v, w)), str(identifier))
        return None if known is None else {"system": known.system, "value": known.value, "name": known.name}

    return run


INSTRUCTIONS: dict[str, Callable[[WriteScope, dict[str, Any], Location], Node]] = {
    "$ref": _ref, "$refs": _refs, "$targets": _targets, "$each": _each, "$switch": _switch, "$first": _first,
    "$concept": _concept, "$text": _text, "$base64": _base64, "$xhtml": _xhtml, "$only": _only, "$id": _id,
    "$instant": _instant, "$registered": _registered,
}  # fmt: skip
