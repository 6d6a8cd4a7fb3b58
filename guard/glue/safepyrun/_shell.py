"""What the C guard asks of a shell, and what it offers to one.

Two shells implement `Shell`: `_plain.PlainShell` (no IPython) and `_ipython.IPythonShell`. The C code
drives every cell itself and calls the shell for what is a matter of taste: transforming source,
showing values and errors, completing, inspecting. A shell never compiles or runs cell code on its
own: it hands the text back to `_guard.run_cell()`, where the user-code rules are.

The C module `safepyrun._guard` offers to the glue:

    publish(msg_type, content, metadata=None, buffers=None)
        send 'display_data', 'update_display_data', 'clear_output', 'execute_result', 'error',
        'comm_open', 'comm_msg' or 'comm_close' for the current cell; streams are flushed first;
        content and metadata are dicts of JSON types (NaN becomes null, lone surrogates are
        replaced, bytes become base64, dates ISO 8601); buffers is a list of bytes-like objects
    run_cell(source, silent=False, store_history=True) -> dict
        run a nested cell (%%capture, %%time, get_ipython().run_cell): transform, rules, compile,
        run, display of the last expression, error display; {"success": bool, "result": object,
        "error_before_exec": exc|None, "error_in_exec": exc|None}
    check_ast(module)
        apply the user-code rules to an ast.Module; raises PermissionError with line and reason
    input(prompt, password) -> str
        ask the front end (raises StdinNotImplementedError, KeyboardInterrupt, EOFError)
    flush()                         send buffered stdout and stderr
    evaluate(source) -> object      value of one expression in the namespace, under the rules
    current_cell() -> int           number of the cell that output of this context belongs to
    set_current_cell(n) -> token    attribute this context's output to cell n (a known number)
    cell_context() -> dict          {"execution_count", "msg_type", "msg_id", "session", "metadata"} of
                                    the current cell or comm message
    event_loop() -> asyncio loop    the guard's own loop, created on first use
    status() -> dict                which fence is active, host, preset, policy file, version
    policy() -> dict                the policy's keys and their values, as copies
    denials() -> list of dict       the newest refusals of this session, the oldest of them first
    json_string(text) -> str        a string as JSON, in quotes
    log(level, text)                one line for the kernel process's log
    wake_fd() -> int                readable after a SIGINT until clear_wake(), for an event loop
"""


class Shell:
    """One interface for both shells; every method is called with the GIL held, on the main thread."""

    #: "plain" or "ipython", as announced in READY
    name = ""
    #: first lines that a console shows
    banner = ""
    #: why there is no IPython, and what helps; empty where there is
    without_ipython = ""
    #: the dict in which cells run (`__main__.__dict__`)
    namespace: dict

    def warm_up(self):
        """After READY, a step at a time, as long as no request comes: what the first error will need."""
        yield from ()

    def transform(self, source: str) -> str:
        """Cell source to Python source: magics, `!`, `?`. Raises SyntaxError."""

    def transform_ast(self, module: object) -> object:
        """The parsed cell (an ast.Module) to what shall run: registered AST transformers, the setting
        `ast_node_interactivity`. Called before the rules look at it; may change and return the same."""
        return module

    def cell_name(self, source: str, raw: str) -> str:
        """The file name to compile a transformed cell under (nested cells too), entered in linecache."""

    def begin_cell(self, source: str, silent: bool, store_history: bool, execution_count: int) -> None:
        """Before a request's cell is transformed (pre_execute, pre_run_cell, In[n])."""

    def end_cell(self, success: bool, result: object, error: BaseException | None,
                 silent: bool, store_history: bool) -> None:
        """After a request's cell, before its reply (post_execute, post_run_cell: inline figures)."""

    def displayhook(self, value: object) -> None:
        """Show the value of a last expression: publish 'execute_result', set `_`, `Out`."""

    def mime_bundle(self, value: object) -> tuple[dict, dict]:
        """(data, metadata) of a value that is shown outside of a cell; an error of its methods is raised."""

    def format_error(self, error: BaseException) -> tuple[str, str, list[str]]:
        """(ename, evalue, traceback lines with ANSI colours). The C code has already stripped
        frames above the cell from error.__traceback__; a SyntaxError of the cell shows its caret."""

    def user_expressions(self, expressions: dict) -> dict:
        """name -> {"status": "ok", "data", "metadata"} or {"status": "error", ename, evalue, traceback}.
        Evaluates with `_guard.evaluate(source)`, which applies the user-code rules."""

    def take_payload(self) -> list:
        """Payloads of the cell (page, set_next_input); empties the list."""

    def complete(self, code: str, cursor_pos: int) -> dict:
        """Content of complete_reply without status; positions in code points, already clamped."""

    def inspect(self, code: str, cursor_pos: int, detail_level: int) -> dict:
        """Content of inspect_reply without status."""

    def is_complete(self, code: str) -> dict:
        """Content of is_complete_reply ({"status": "complete"|"incomplete"|"invalid", "indent"})."""

    def comm(self, msg_type: str, content: dict, metadata: dict, buffers: list) -> None:
        """A comm_open, comm_msg or comm_close from the front end."""

    def shutdown(self) -> None:
        """Before the interpreter ends."""
