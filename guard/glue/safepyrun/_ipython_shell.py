"""The `InteractiveShell` that cells see as `get_ipython()`.

Cells are driven from C. This class keeps IPython's side of them in step (events, In, execution
count), and sends back to C whatever would compile or run text on its own.
"""

import ast
import os
import sys

import IPython
from IPython.core import page
from IPython.core.alias import default_aliases
from IPython.core.application import ProfileDir
from IPython.core.autocall import ZMQExitAutocall
from IPython.core.error import UsageError
from IPython.core.interactiveshell import (ExecutionInfo, ExecutionResult, InteractiveShell,
                                           InteractiveShellABC)
from IPython.core.payload import PayloadManager
from IPython.utils.text import LSString, SList
from traitlets import Any, Bool, Instance, Type, default
from traitlets.config import Config

from safepyrun import _guard
from safepyrun import _ipython_programs as programs
from safepyrun._ipython_compile import GuardCompiler, GuardFormatter, check_expression, check_source
from safepyrun._ipython_display import GuardDisplayHook, GuardDisplayPublisher
from safepyrun._ipython_errors import error_content
from safepyrun._ipython_history import SessionHistory
from safepyrun._ipython_kernel import Kernel
from safepyrun._ipython_magics import SCRIPT_MAGICS, KernelMagics, ask_before_magic, explain_refusal
from safepyrun._of_thread import OfThread, in_main
from safepyrun._ipython_transform import GuardTransformerManager

_formatter = GuardFormatter()

# Since 9.8 `get_ipython().execution_count` is the next cell's number while a cell runs.
_COUNTS_AHEAD = IPython.version_info >= (9, 8)

#: what %gui and %matplotlib know and a process without a display cannot serve
GUI_TOOLKITS = {"asyncio", "glut", "gtk", "gtk2", "gtk3", "gtk3agg", "gtk4", "gtk4agg", "osx",
                "pyglet", "qt", "qt4", "qt5", "qt6", "tk", "wx"}


class PrivateProfile(ProfileDir):
    """A profile that makes no directories: the guard's IPYTHONDIR lives as long as the guard."""

    def _mkdir(self, path, mode=None):
        return False

    def check_startup_dir(self, change=None):
        """IPython 8 copies a README to where no directory is."""

    def move(self, location):
        """A location is set once only, and a new profile is half a millisecond of traitlets."""
        names = ("security", "log", "startup", "pid", "static")
        self._trait_values.update({f"{name}_dir": os.path.join(location, getattr(self, f"{name}_dir_name"))
                                   for name in names}, location=location)


class Payloads(PayloadManager):
    """What a cell asks the front end for; each shell has a list of its own."""

    _payload = OfThread([])


class ZMQInteractiveShell(InteractiveShell):
    """IPython under the guard.

    The name is ipykernel's: pandas, rich, tqdm and many others recognise a notebook by it. plotly asks for that of the module,
    and would else put 5 MB of JavaScript into each notebook.
    """

    __module__ = "ipykernel.zmqshell"

    compiler_class = Type(GuardCompiler)
    displayhook_class = Type(GuardDisplayHook)
    display_pub_class = Type(GuardDisplayPublisher)
    autoindent = Bool(False)
    input_transformer_manager = Instance(GuardTransformerManager, ())
    exiter = Instance(ZMQExitAutocall)
    kernel = Any()
    keepkernel_on_exit = None
    #: whether a cell runs in the main shell
    main_runs = False

    #: text of the cell that is running, nested cells included, as the user wrote it
    current_source = OfThread("")
    #: the running cell's, given by the kernel process
    cell_number = OfThread(0)
    _idle_count = OfThread(1)
    _awaits_parsed = OfThread(False)
    _showing_value = OfThread(False)
    _display_error = OfThread()
    #: %pdb on, and the cell has failed
    error_to_debug = OfThread(False)
    _info = OfThread()

    @default("exiter")
    def _default_exiter(self):
        return ZMQExitAutocall(self)

    # ---- start -------------------------------------------------------------------------------

    def init_virtualenv(self):
        pass        # sys.path is the guard's to set

    def init_history(self):
        self.history_manager = SessionHistory(shell=self, parent=self)
        self.configurables.append(self.history_manager)

    def init_user_ns(self):
        super().init_user_ns()
        # IPython's own open() guards fd 0 to 2 only; the built-in one keeps refusals short.
        self.user_ns.pop("open", None)
        self.user_ns_hidden.pop("open", None)

    def init_payload(self):
        self.payload_manager = Payloads(parent=self)
        self.configurables.append(self.payload_manager)

    def init_hooks(self):
        super().init_hooks()
        self.set_hook("show_in_pager", page.as_hook(self._page), 99)

    def init_magics(self):
        super().init_magics()
        self.register_magics(KernelMagics)

    # ---- made before the guard was (in a template) -----------------------------------------------

    def hide(self):
        """get_ipython() is None, and nothing of ours stands among the built-ins."""
        self.builtin_trap.__exit__(None, None, None)
        for cls in type(self)._walk_mro():
            cls._instance = None
        sys.displayhook = sys.__displayhook__

    def adopt_session(self):
        """What stands here of streams, folders and environment becomes that of this process."""
        for cls in type(self)._walk_mro():
            cls._instance = self
        self._trait_values["ipython_dir"] = _directory()     # its observer would make the folder, which is there
        self.profile_dir.move(_profile_location())
        self.starting_dir = os.getcwd()
        self.history_manager.dir_hist[:] = [type(here)(self.starting_dir) for here in self.history_manager.dir_hist]
        self.raw_input_original = input
        self.save_sys_module_state()
        self._take_over()

    def _take_over(self):
        # Here already, not with the first cell: what stands there when the guard closes is known to be no cell's.
        sys.displayhook = self.displayhook
        # For good and not per cell: threads, callbacks and widgets use get_ipython() too.
        self.builtin_trap.__enter__()

    def existing_logger(self):
        """The logger of %logstart, if there is one; IPython 9 makes it only on request."""
        return self.__dict__.get("logger") or getattr(self, "_logger", None)

    # ---- a cell, step by step (called through IPythonShell) ------------------------------------

    def begin_cell(self, source, silent, store_history, execution_count):
        self.main_runs = self.main_runs or in_main()
        self.current_source = source
        self.cell_number, self._idle_count = execution_count, self.execution_count
        self.execution_count = execution_count + (_COUNTS_AHEAD and store_history)
        self._awaits_parsed = store_history
        self.payload_manager.clear_payload()
        self._info = self._execution_info(source, silent, store_history)
        sys.displayhook = self.displayhook
        if store_history:
            self.history_manager.store_inputs(execution_count, source, source)
        self._trigger_before(self._info)

    def transform_source(self, source):
        self.current_source = source
        transformed = self.transform_cell(source)
        if self._awaits_parsed:
            self._awaits_parsed = False
            self._info.transformed_cell = transformed
            self.history_manager.set_parsed(transformed, self.cell_number)
            logger = self.existing_logger()
            if logger is not None:
                logger.log(transformed, source)
        return transformed

    def transform_module(self, module):
        """What the user's AST transformers and `ast_node_interactivity` make of a cell."""
        module = self.transform_ast(module)
        if not module.body or self.ast_node_interactivity in ("last_expr", "last"):
            return module
        return ast.fix_missing_locations(_INTERACTIVITY[self.ast_node_interactivity](module))

    def end_cell(self, success, result, error, silent, store_history):
        outcome = self._execution_result(self._info, result, None if success else error)
        self._trigger_after(outcome)
        self.main_runs = self.main_runs and not in_main()
        self._awaits_parsed = False
        self.exit_now = False
        self.execution_count = self.cell_number + 1 if store_history else self._idle_count

    def _execution_info(self, source, silent, store_history):
        cell_id = (_guard.cell_context().get("metadata") or {}).get("cellId")
        info = ExecutionInfo(source, store_history, silent, True, cell_id)
        info.transformed_cell = source
        return info

    def _execution_result(self, info, value, error):
        outcome = ExecutionResult(info)
        outcome.execution_count = self.cell_number
        outcome.result = value
        if isinstance(error, SyntaxError) and error.__traceback__ is None:
            outcome.error_before_exec = error
        else:
            outcome.error_in_exec = error
        self.last_execution_result = outcome
        self.last_execution_succeeded = outcome.success
        return outcome

    def _trigger_before(self, info):
        self.events.trigger("pre_execute")
        if not info.silent:
            self.events.trigger("pre_run_cell", info)

    def _trigger_after(self, outcome):
        self.events.trigger("post_execute")
        if not outcome.info.silent:
            self.events.trigger("post_run_cell", outcome)

    # ---- whatever would run text on its own ----------------------------------------------------

    def run_cell(self, raw_cell, store_history=False, silent=False, shell_futures=True,
                 cell_id=None, cell_meta=None):
        info = self._execution_info(raw_cell, silent, store_history)
        outer = self.current_source, self._awaits_parsed
        self._awaits_parsed = False
        self._trigger_before(info)
        ran = {}
        try:
            ran = _guard.run_cell(raw_cell, silent, store_history and not silent)
        finally:
            self.current_source, self._awaits_parsed = outer
            outcome = self._execution_result(info, ran.get("result"), ran.get("error_in_exec"))
            outcome.error_before_exec = ran.get("error_before_exec")
            self._trigger_after(outcome)
        return outcome

    async def run_cell_async(self, raw_cell, store_history=False, silent=False, shell_futures=True,
                             **ignored):
        return self.run_cell(raw_cell, store_history, silent, shell_futures)

    async def run_ast_nodes(self, nodelist, cell_name, *args, **kwargs):
        nodelist = list(nodelist)
        _guard.check_ast(ast.Module(nodelist, []))
        return await super().run_ast_nodes(nodelist, cell_name, *args, **kwargs)

    def transform_ast(self, node):
        node = super().transform_ast(node)
        if self.ast_transformers and isinstance(node, ast.Module):
            _guard.check_ast(node)
        return node

    def ev(self, expr):
        return _guard.evaluate(expr)

    def ex(self, cmd):
        check_source(cmd)
        super().ex(cmd)

    def safe_execfile(self, fname, *where, shell_futures=False, **options):
        # True makes IPython compile the file with self.compile, where the rules are.
        super().safe_execfile(fname, *where, shell_futures=True, **options)

    def find_user_code(self, target, *args, **kwargs):
        if isinstance(target, str):
            check_expression(target)
        return super().find_user_code(target, *args, **kwargs)

    def var_expand(self, cmd, depth=0, formatter=_formatter):
        return super().var_expand(cmd, depth + 1, formatter)

    def user_expressions(self, expressions):
        answers = {}
        for name, expression in (expressions or {}).items():
            try:
                answers[name] = self._format_user_obj(_guard.evaluate(expression))
            except BaseException as error:
                answers[name] = {"status": "error", **error_content(self, error, True)}
        return answers

    def run_line_magic(self, magic_name, line, _stack_depth=1):
        __tracebackhide__ = True
        ask_before_magic(self, magic_name, line, None)
        return super().run_line_magic(magic_name, line, _stack_depth + 1)

    def run_cell_magic(self, magic_name, line, cell):
        __tracebackhide__ = True
        if cell and magic_name in SCRIPT_MAGICS and programs.run_script(self, magic_name, line, cell):
            return None
        ask_before_magic(self, magic_name, line, cell)
        return super().run_cell_magic(magic_name, line, cell)

    # ---- programs ------------------------------------------------------------------------------

    def system_piped(self, cmd):
        # Not IPython's pexpect: that forks first and fails in the child, where nobody explains it.
        import subprocess
        command = self.var_expand(cmd, depth=1)
        try:
            if programs.system(self, command):
                return
            _guard.flush()
            status = subprocess.call(command, shell=True, stdin=subprocess.DEVNULL)
        except PermissionError as error:
            raise explain_refusal(error, command) from None
        self.user_ns["_exit_code"] = status
        if status != 0 and getattr(self, "system_raise_on_error", False):
            raise subprocess.CalledProcessError(status, command)

    system = system_raw = system_piped

    def getoutput(self, cmd, split=True, depth=0):
        try:
            if _guard.asks_for_errands():
                output = programs.getoutput(self, self.var_expand(cmd, depth=depth + 1))
                return SList(output.splitlines()) if split else LSString(output)
            return super().getoutput(cmd, split, depth + 1)
        except PermissionError as error:
            raise explain_refusal(error, cmd) from None

    # ---- output --------------------------------------------------------------------------------

    def showtraceback(self, exc_tuple=None, filename=None, tb_offset=None, exception_only=False,
                      running_compiled_code=False):
        """An error beside the cell's own: of an event, a widget callback or a formatter."""
        try:
            error = self._get_exc_info(exc_tuple)[1]
        except ValueError:
            print("No traceback available to show.", file=sys.stderr)
            return
        if self._showing_value:
            self._display_error = self._display_error or error
            return
        content = error_content(self, error, exception_only)
        _guard.show_refusal(error)
        self._showtraceback(type(error), error, content["traceback"])

    def showsyntaxerror(self, filename=None, running_compiled_code=False):
        self.showtraceback()

    def _showtraceback(self, etype, evalue, stb):
        _guard.publish("error", {"ename": etype.__name__, "evalue": str(evalue),
                                 "traceback": stb})

    def show_value(self, value):
        """Show a last expression. An error of a formatter is the cell's error, after the value."""
        # Not self.displayhook: %%capture puts another one in its place.
        self._format(sys.displayhook, value)

    def mime_bundle(self, value):
        return self._format(self.display_formatter.format, value)

    def _format(self, function, value):
        self._showing_value = True
        try:
            shown = function(value)
        finally:
            self._showing_value = False
            error, self._display_error = self._display_error, None
        if error is not None:
            raise error
        return shown

    def _page(self, strg, start=0, screen_lines=0, pager_cmd=None):
        data = strg if isinstance(strg, dict) else {"text/plain": strg}
        self.payload_manager.write_payload({"source": "page", "data": data, "start": max(0, start)})

    def set_next_input(self, s, replace=False):
        self.payload_manager.write_payload({"source": "set_next_input", "text": s,
                                            "replace": bool(replace)})

    def ask_exit(self):
        keep = bool(self.keepkernel_on_exit)
        self.payload_manager.write_payload({"source": "ask_exit", "keepkernel": keep})

    def enable_matplotlib(self, gui=None):
        if gui in GUI_TOOLKITS:
            self.enable_gui(gui)
        return super().enable_matplotlib(gui)

    def enable_gui(self, gui=None):
        if gui in GUI_TOOLKITS:
            raise UsageError(f"There is no event loop for {gui!r} here: figures are shown inline "
                             "(%matplotlib inline) or as widgets (%matplotlib widget).")

    # ---- which cell output belongs to ----------------------------------------------------------

    def get_parent(self):
        return self.kernel.get_parent()

    def set_parent(self, parent):
        self.kernel.set_parent(parent)

    def set_thread_parent(self, parent):
        return self.kernel.set_thread_parent(parent)

    def reset_thread_parent(self, token):
        self.kernel.reset_thread_parent(token)

    @property
    def parent_header(self):
        return self.kernel.get_parent()


InteractiveShellABC.register(ZMQInteractiveShell)


def _show_call(expression):
    show = ast.parse("get_ipython().displayhook()", mode="eval").body
    show.args.append(expression)
    return show


def _show_all(module):
    for node in module.body[:-1]:
        if isinstance(node, ast.Expr):
            node.value = ast.copy_location(_show_call(node.value), node.value)
    return module


def _show_assigned(module):
    last = module.body[-1]
    targets = last.targets if isinstance(last, ast.Assign) else [getattr(last, "target", None)]
    if isinstance(last, (ast.Assign, ast.AugAssign, ast.AnnAssign)) \
            and len(targets) == 1 and isinstance(targets[0], ast.Name):
        module.body.append(ast.copy_location(ast.Expr(ast.Name(targets[0].id, ast.Load())), last))
    return module


def _show_nothing(module):
    module.body.append(ast.copy_location(ast.Pass(), module.body[-1]))
    return module


#: C shows the last expression; these turn the other settings into that one
_INTERACTIVITY = {"all": _show_all, "last_expr_or_assign": _show_assigned, "none": _show_nothing}


def _directory():
    return os.environ.get("IPYTHONDIR") or os.path.join(os.path.expanduser("~"), ".ipython")


def _profile_location():
    return os.path.join(_directory(), "profile_default")


def start_shell():
    """The one shell of this process, in `__main__`."""
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.AliasManager.default_aliases = [alias for alias in default_aliases()
                                           if alias[0] not in KernelMagics.magics["line"]]
    # Libraries take this section as the sign of a Jupyter kernel (tqdm.autonotebook among them).
    config.IPKernelApp.name = "safepyrun-kernel"
    shell = ZMQInteractiveShell.instance(config=config, ipython_dir=_directory(),
                                         profile_dir=PrivateProfile(location=_profile_location()),
                                         user_module=sys.modules["__main__"])
    shell.kernel = Kernel(shell)
    shell._take_over()
    return shell
