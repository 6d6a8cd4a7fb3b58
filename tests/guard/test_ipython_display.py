"""Values, rich output and figures of cells under IPython."""

import base64

pytest_plugins = ["ipython_session"]

PNG = b"\x89PNG\r\n\x1a\n"


def test_result_sets_underscores_and_out(ipython):
    assert ipython.run("40 + 2").result["data"]["text/plain"] == "42"
    cell = ipython.run("(_, _1, Out[1], In[1])")
    assert cell.result["data"]["text/plain"] == "(42, 42, 42, '40 + 2')"
    assert cell.result["execution_count"] == 2


def test_semicolon_keeps_a_value_quiet(ipython):
    assert ipython.run("1;  # not shown").messages == []
    assert ipython.run("';'").result["data"]["text/plain"] == "';'"


def test_silent_cells_show_no_value(ipython):
    assert ipython.run("1", silent=True).messages == []


def test_display_ids_are_updated_in_place(ipython):
    shown = ipython.run("from IPython.display import HTML\n"
                        "handle = display(HTML('<b>1</b>'), display_id='box')")
    assert shown.one("display_data")["data"]["text/html"] == "<b>1</b>"
    assert shown.one("display_data")["transient"] == {"display_id": "box"}
    updated = ipython.run("handle.update(HTML('<b>2</b>'))")
    assert updated.one("update_display_data")["data"]["text/html"] == "<b>2</b>"
    assert updated.one("update_display_data")["transient"] == {"display_id": "box"}


def test_clear_output(ipython):
    cell = ipython.run("from IPython.display import clear_output\nclear_output(wait=True)")
    assert cell.one("clear_output") == {"wait": True}


def test_rich_objects(ipython):
    ipython.run("from IPython.display import Javascript, Latex")
    assert ipython.run("Latex('$x$')").result["data"]["text/latex"] == "$x$"
    assert "application/javascript" in ipython.run("Javascript('1')").result["data"]


def test_bytes_of_an_image_become_base64(ipython):
    cell = ipython.run("from IPython.display import Image\n"
                       "Image(b'\\x89PNG\\r\\n\\x1a\\n' + bytes(8), format='png')")
    assert base64.b64decode(cell.result["data"]["image/png"]).startswith(PNG)


def test_error_of_a_formatter_is_the_error_of_the_cell(ipython):
    cell = ipython.run("class Odd:\n    def _repr_html_(self): raise ValueError('no html')\nOdd()")
    assert [name for name, _ in cell.messages] == ["execute_result", "error"]
    assert cell.reply["status"] == "error" and cell.reply["ename"] == "ValueError"
    assert not any("_ipython" in line for line in cell.reply["traceback"])


def test_capture_takes_text_values_and_figures(ipython):
    cell = ipython.run("%%capture taken\nprint('text')\n6 * 7")
    assert cell.messages == [] and cell.stdout == ""
    assert ipython.run("(taken.stdout, taken.outputs[0].data['text/plain'])") \
        .result["data"]["text/plain"] == "('text\\n', '42')"


def test_figures_are_shown_after_the_cell(ipython):
    cell = ipython.run("import matplotlib.pyplot as plt\nplt.plot([1, 2]);")
    assert base64.b64decode(cell.one("display_data")["data"]["image/png"]).startswith(PNG)
    assert ipython.run("1;").messages == []


def test_inline_backend_can_be_configured_before_the_first_figure(ipython):
    ipython.run("%config InlineBackend.figure_format = 'svg'")
    cell = ipython.run("%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);")
    assert "<svg" in cell.one("display_data")["data"]["image/svg+xml"]


def test_toolkits_with_windows_are_refused(ipython):
    cell = ipython.run("%matplotlib qt")
    assert cell.reply["ename"] == "UsageError" and "inline" in cell.reply["evalue"]


def test_pandas_frames_are_tables(ipython):
    cell = ipython.run("import pandas\npandas.DataFrame({'a': [1]})")
    assert "<table" in cell.result["data"]["text/html"]


def test_every_expression_is_shown_on_demand(ipython):
    ipython.run("get_ipython().ast_node_interactivity = 'all'")
    cell = ipython.run("1\n2\n3")
    shown = [content["data"]["text/plain"] for name, content in cell.messages]
    assert shown == ["1", "2", "3"]


def test_publish_hooks_see_and_swallow_messages(ipython):
    ipython.run("seen = []\nhook = lambda message: seen.append(message['msg_type'])\n"
                "get_ipython().display_pub.register_hook(hook)")
    assert ipython.run("display(1)").messages == []
    for found in ("True", "False"):
        assert ipython.run("get_ipython().display_pub.unregister_hook(hook)").result["data"]["text/plain"] == found
    assert ipython.run("display(seen)").one("display_data")["data"]["text/plain"] == \
        "['display_data']"
