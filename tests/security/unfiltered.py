"""The matrix with every filter by tenant taken out of the code: the wall alone must hold.

Run as a process of its own: the modules of the service are rewritten as they are imported. What is
taken out is each comparison of a `tenant_id` with whatever it is compared with, in SQL as text and
in SQLAlchemy's, and `tenant_id` in every USING.
"""

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import re
import sys
from collections.abc import Sequence
from types import CodeType, ModuleType

REWRITTEN = "services.training"
COMPARED = re.compile(
    r"(\b\w+\.)?\btenant_id = "
    r"(\(SELECT app_tenant\(\)\)|app_tenant\(\)|\w+\.tenant_id|CAST\(:\w+ AS uuid\)|:\w+|\$\d+)"
)
ALONE = re.compile(r"\bJOIN (\w+( \w+)?) USING \(tenant_id\)")
AMONG = re.compile(r"\bUSING \(tenant_id, ")
LEFT_OVER = re.compile(r"\btenant_id\s*(=|IN\b)|USING \(tenant_id")


class Unfiltering(ast.NodeTransformer):
    """`taken` counts what was taken out; `left` are the texts that still seem to filter."""

    def __init__(self) -> None:
        self.taken = 0
        self.left: list[str] = []

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, str) or "tenant_id" not in node.value:
            return node
        text, compared = COMPARED.subn("true", node.value)
        text, alone = ALONE.subn(r"CROSS JOIN \1", text)
        text, among = AMONG.subn("USING (", text)
        self.taken += compared + alone + among
        if LEFT_OVER.search(text):
            self.left.append(text)
        return ast.copy_location(ast.Constant(text), node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if not _is_column(node.left) or not isinstance(node.ops[0], ast.Eq):
            return node
        self.taken += 1
        always = ast.parse(f"{ast.unparse(node.left)}.is_not(None)", mode="eval").body
        return ast.copy_location(ast.fix_missing_locations(always), node)


def _is_column(node: ast.expr) -> bool:
    """`Sale.tenant_id`, `tables.Sale.tenant_id`: of a class, so by its name a column."""
    if not isinstance(node, ast.Attribute) or node.attr != "tenant_id":
        return False
    owner = node.value
    name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    return name[:1].isupper()


class Loader(importlib.machinery.SourceFileLoader):
    unfiltering: Unfiltering

    def source_to_code(self, data: object, path: object, *, _optimize: int = -1) -> CodeType:
        assert isinstance(data, bytes)
        tree = ast.fix_missing_locations(self.unfiltering.visit(ast.parse(data)))
        return compile(tree, str(path), "exec", dont_inherit=True, optimize=_optimize)

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class Finder(importlib.abc.MetaPathFinder):
    def __init__(self) -> None:
        self.unfiltering = Unfiltering()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith(REWRITTEN):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or not isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            return spec
        spec.loader = loader = Loader(spec.loader.name, spec.loader.path)
        loader.unfiltering = self.unfiltering
        return spec


def take_filters_out() -> Unfiltering:
    """From every module of the service that is imported from now on."""
    assert not any(name.startswith(REWRITTEN) for name in sys.modules)
    finder = Finder()
    sys.meta_path.insert(0, finder)
    return finder.unfiltering
