"""allow_imports: what some modules may do while they are imported. Numbers are rows of tests/conformance."""

import importlib
import sys

from host_tools import raises, refused, refuses, run

from safepyrun import RunPython, allow_imports, mk_audit

CHANGES = "def f(): pass\nf.__code__ = f.__code__\n"
PROGRAM = "import subprocess\ndef later(): return subprocess.run(['echo'])\nlater()\n"


def put(folder, **modules):
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()


def test_f40_a_module_that_changes_code(tmp_path):
    put(tmp_path, changes=CHANGES, pack_like=CHANGES, pack=CHANGES)
    roots = {"ok_dests": [tmp_path]}
    refuses("import changes", "a guarded attribute", **roots)
    allow_imports.add("changes")
    assert run("import changes; changes.f()", **roots) is None
    allow_imports("pack", "json")
    refuses("import pack_like", "a guarded attribute", **roots)
    run("import pack", **roots)
    assert set(allow_imports) == {"changes", "pack", "json"} and "pack" in allow_imports and len(allow_imports) == 3
    allow_imports.discard("changes")
    del sys.modules["changes"]
    refuses("import changes", "a guarded attribute", **roots)


def test_its_functions_have_no_rights_later(tmp_path):
    put(tmp_path, starts=PROGRAM)
    allow_imports.add("starts")
    with refused("start a program"):
        run("import starts; starts.later()", ok_dests=[tmp_path])
    assert sys.modules["starts"]


def test_it_is_not_for_mk_audit(tmp_path):
    """That has a list of its own, as fastaudit's has."""
    put(tmp_path, starts=PROGRAM)
    allow_imports.add("starts")
    with mk_audit([tmp_path], monitor_calls=False)():
        with refused("start a program"):
            importlib.import_module("starts")


async def test_cells_do_not_change_it(tmp_path):
    put(tmp_path, evil=PROGRAM)
    runner = RunPython(g={"imports": allow_imports, "modules": sys.modules}, ok_dests=[tmp_path])
    for cell in ("imports.add('evil')", "imports('evil')", "imports |= {'evil'}",
                 "modules['safepyrun._guard'].set_import('evil', True)"):
        with refused("register a tool" if "_guard" not in cell else ""):
            await runner(cell)
    with raises(TypeError):
        await runner("type(imports).__iter__ = print")
    assert not allow_imports
    # a name that is listed does not help code of another name's
    allow_imports.add("listed")
    for cell in ("__name__ = 'listed'\nimport evil", "import evil as listed",
                 "modules['listed'] = modules['os']\nimport evil"):
        with refused("start a program"):
            await runner(cell)
