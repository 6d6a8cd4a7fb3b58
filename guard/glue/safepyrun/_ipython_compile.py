"""IPython's compiler, with the user-code rules before it.

Cells are compiled in C. What still comes this way is text that magics compile themselves: %timeit,
%time, %prun, %run. It must meet the same rules, or `%time import socket` would be a way around them.
"""

import ast
import os

from IPython.core.compilerop import CachingCompiler
from IPython.utils.text import DollarFormatter

from safepyrun import _guard


def as_module(tree):
    """The rules look at modules; an expression or an interactive line is wrapped in one."""
    if isinstance(tree, ast.Module):
        return tree
    body = tree.body if isinstance(tree, ast.Interactive) else [ast.Expr(tree.body)]
    return ast.fix_missing_locations(ast.Module(body, []))


def check_source(source):
    """Apply the rules to text that somebody else is about to compile."""
    _guard.check_ast(ast.parse(source, "<cell>"))


def check_expression(text):
    """The same for text that may be an expression, and else is not evaluated."""
    try:
        tree = ast.parse(text, "<magic argument>", "eval")
    except (SyntaxError, ValueError):
        return
    _guard.check_ast(as_module(tree))


def _name_script(error, filename):
    """What %run reads becomes part of the session, as if it stood in the cell; a module does not, and may define what it likes."""
    where = f"a line of {filename}"
    policy = _guard.policy()
    if "ban_defs = true" in error.strerror and policy["mode"] == "restrict":
        folder, name = os.path.split(filename)
        module, ending = os.path.splitext(name)
        is_near = ending == ".py" and module.isidentifier() and folder == os.getcwd()
        where += "; a module that a cell imports may define functions and classes" + f": import {module}" * is_near
    error.strerror = f"{error.strerror} ({where})"


class GuardCompiler(CachingCompiler):
    """A CachingCompiler that refuses what a cell may not contain."""

    def get_code_name(self, raw_code, transformed_code, number):
        # IPython's own name takes SHA-1, and with it OpenSSL is loaded for the first cell.
        return f"<ipython-input-{number}-{hash(transformed_code) & 0xFFFFFFFFFFFF:012x}>"

    def ast_parse(self, source, filename="<unknown>", symbol="exec"):
        tree = super().ast_parse(source, filename, symbol)
        try:
            _guard.check_ast(as_module(tree))
        except PermissionError as error:
            if not str(filename).startswith("<"):        # %run: the line is not one of the cell
                _name_script(error, str(filename))
            raise
        return tree

    def __call__(self, source, filename, symbol, *args, **kwargs):
        # A tree has passed ast_parse() already, and %timeit adds a def of its own to it.
        if isinstance(source, (str, bytes)):
            self.ast_parse(source, filename, symbol)
        return super().__call__(source, filename, symbol, *args, **kwargs)


class GuardFormatter(DollarFormatter):
    """`$name` and `{expression}` in magic lines: IPython evaluates them, so the rules apply."""

    def parse(self, format_string):
        for literal, field, spec, conversion in super().parse(format_string):
            if field and not field.isidentifier():
                check_expression(field)
            yield literal, field, spec, conversion


