"""jupyter_kernel_test with every optional attribute, the welcome mixin included, for both shells."""

import jupyter_kernel_test as jkt


class Common(jkt.KernelTests):
    """What both shells share; collected through its subclasses only."""

    __test__ = False
    language_name = "python"
    file_extension = ".py"
    code_hello_world = "print('hello, world')"
    code_stderr = "import sys; print('test', file=sys.stderr)"
    complete_code_samples = ["1", "print('hello, world')", "lambda x: x * 2"]
    incomplete_code_samples = ["print('''hello", "for n in range(3):\n  print(n)", "x = ["]
    invalid_code_samples = ["import = 7q", "x = )"]
    code_page_something = "len?"
    code_generate_error = "raise ValueError"
    code_execute_result = [
        {"code": "1+2+3", "result": "6"},
        {"code": "[n*n for n in range(1, 4)]", "result": "[1, 4, 9]"},
        {"code": "'ü' * 3", "result": "'üüü'"},
    ]
    code_history_pattern = "1?2*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "len"


class TestPlain(Common):
    __test__ = True
    kernel_name = "safepyrun-plain"
    completion_samples = [
        {"text": "zi", "matches": {"zip"}},
        {"text": "isinst", "matches": {"isinstance"}},
        {"text": "no_such_na", "matches": set()},
    ]
    code_display_data = [
        {"code": "display({'text/html': '<b>test</b>'}, raw=True)", "mime": "text/html"},
        {"code": "display([1, 2])", "mime": "text/plain"},
    ]
    code_clear_output = "display(clear=True)"


class TestIPython(Common):
    __test__ = True
    kernel_name = "safepyrun-ipython"
    completion_samples = [
        {"text": "zi", "matches": {"zip"}},
        {"text": "isinst", "matches": {"isinstance"}},
        {"text": "no_such_na", "matches": set()},
    ]
    code_display_data = [
        {"code": "from IPython.display import HTML, display; display(HTML('<b>test</b>'))", "mime": "text/html"},
        {"code": "from IPython.display import Math, display; display(Math('\\\\frac{1}{2}'))", "mime": "text/latex"},
    ]
    code_clear_output = "from IPython.display import clear_output; clear_output()"


class TestWelcomePlain(jkt.IopubWelcomeTests):
    kernel_name = "safepyrun-plain"
    support_iopub_welcome = True


class TestWelcomeIPython(jkt.IopubWelcomeTests):
    kernel_name = "safepyrun-ipython"
    support_iopub_welcome = True


def test_every_optional_attribute_is_set():
    """A test of jupyter_kernel_test that skips itself for want of a sample would go unnoticed."""
    for tests in (TestPlain, TestIPython):
        unset = [name for name, value in vars(jkt.KernelTests).items()
                 if isinstance(value, (str, list, tuple)) and not name.startswith("_") and not getattr(tests, name)]
        assert unset == []


