"""Apply a mapping pack to a source record: the YAML tree compiled once, its codes and its trace."""

from gateway.mapping.apply import apply
from gateway.mapping.codes import CodeTable, read_code_table
from gateway.mapping.compile import CompiledMapping, Source, compile_mapping
from gateway.mapping.explain import explain
from gateway.mapping.scope import Agency, Context

__all__ = [
    "Agency", "CodeTable", "CompiledMapping", "Context", "Source", "apply", "compile_mapping", "explain",
    "read_code_table",
]  # fmt: skip
