"""Libraries as notebooks use them, under the default policy and both rings: what they show, send and compute.

One kernel for all of them, as in a long session; each test imports what it needs.
"""

import json

import pytest
from frontend import labels, only, text

pytestmark = pytest.mark.unsanitized

VIEW = "application/vnd.jupyter.widget-view+json"
#: library: (cell, what its last output must hold, message types that must be among its outputs)
SHOWN = {
    "anywidget": ("import anywidget, traitlets\nkind = type('Counter', (anywidget.AnyWidget,), {'_esm': 'export default {}', "
                  "'n': traitlets.Int(3).tag(sync=True)})\ncounter = kind()\ncounter", VIEW, {"comm_open"}),
    "plotly": ("import plotly.graph_objects as go\ngo.Figure(go.Scatter(y=[1, 2, 3]))", "application/vnd.plotly.v1+json", set()),
    "plotly as a widget": ("go.FigureWidget(go.Scatter(y=[1, 2, 3]))", VIEW, {"comm_open"}),
    "altair": ("import altair, pandas\nchart = altair.Chart(pandas.DataFrame({'a': [1, 2], 'b': [2, 3]})).mark_line().encode(x='a', y='b')\nchart",
               "text/html", set()),
    "altair as a widget": ("altair.JupyterChart(chart)", VIEW, {"comm_open"}),
    "bokeh": ("from bokeh.plotting import figure, show\nfrom bokeh.io import output_notebook\noutput_notebook()\nplot = figure(width=200, height=200)\n"
              "line = plot.line([1, 2], [3, 4])\nshow(plot)", "application/vnd.bokehjs_exec.v0+json", set()),
    "rich": ("from rich.table import Table\ntable = Table()\ntable.add_column('a')\ntable.add_row('1')\ntable", "text/html", set()),
    "rich progress": ("from rich.progress import track\nfor i in track(range(2)): pass", "text/plain", {"clear_output"}),
    "polars": ("import polars as pl\nframe = pl.DataFrame({'a': [1, 2, 3], 'b': ['x', 'y', 'x']})\nframe", "text/html", set()),
    "duckdb": ("import duckdb\nduckdb.sql('select sum(a) as total from frame')", "text/plain", set()),
    "scikit-learn": ("from sklearn.datasets import load_iris\nfrom sklearn.linear_model import LogisticRegression\nX, y = load_iris(return_X_y=True)\n"
                     "model = LogisticRegression(max_iter=500).fit(X, y)\nmodel", "text/html", set()),
    "statsmodels": ("import statsmodels.formula.api as smf\nsmf.ols('a ~ c', pandas.DataFrame({'a': [1, 2, 3.5], 'c': [1, 2, 3]})).fit().summary()",
                    "text/html", set()),
}
#: cells that end with what is true
COMPUTED = {
    "polars": "frame.write_parquet('d.parquet')\npl.scan_parquet('d.parquet').filter(pl.col('a') > 1).collect().shape == (2, 2)",
    "duckdb": "base = duckdb.connect('my.db')\nbase.execute(\"create table t as from 'd.parquet'\")\nbase.execute('select count(*) from t').fetchall() == [(3,)]",
    "pyarrow": "import pyarrow.dataset\npyarrow.dataset.dataset('d.parquet').to_table().num_rows == 3",
    "scikit-learn": "from sklearn.ensemble import RandomForestClassifier\nRandomForestClassifier(10, n_jobs=2).fit(X, y).score(X, y) > 0.9",
    "joblib": "import joblib\njoblib.dump(model, 'm.joblib')\njoblib.load('m.joblib').coef_.shape == (3, 4)",
    "scipy": "import scipy.integrate, scipy.optimize\nbool(abs(scipy.integrate.quad(lambda x: x * x, 0, 1)[0] - 1 / 3) < 1e-9 and "
             "abs(scipy.optimize.minimize(lambda x: (x[0] - 1) ** 2, [0.0]).x[0] - 1) < 1e-3)",
}


@pytest.fixture(scope="module", params=["ipython"])
def shell(request):
    return request.param


def run(front, code, **keywords):
    reply, outputs = front.run(code, timeout=60, **keywords)
    assert reply.content["status"] == "ok", reply.content
    return reply, outputs


def value(front, expression):
    return only(run(front, expression)[1], "execute_result").content["data"]["text/plain"]


def say(front, comm_id, data, buffers=()):
    """What a front end says to a widget; the outputs."""
    return front.outputs(front.send("shell", "comm_msg", {"comm_id": comm_id, "data": data}, buffers=buffers))


def model_of(outputs):
    shown = [message for message in outputs if VIEW in message.content.get("data", {})]
    return shown[-1].content["data"][VIEW]["model_id"]


def test_libraries_show_and_compute(front):
    """In one go: later ones use what earlier ones made."""
    for name, (cell, mime, sent) in SHOWN.items():
        _, outputs = run(front, cell)
        shown = [message.content["data"] for message in outputs if message.label in ("display_data", "execute_result")]
        assert mime in shown[-1] and sent <= set(labels(outputs)), (name, labels(outputs), shown and list(shown[-1]))
    for name, cell in COMPUTED.items():
        assert value(front, cell) == "True", name


@pytest.mark.parametrize("cell", ["frame.write_csv('/srv/outside.csv')", "duckdb.sql(\"copy (select 1) to '/srv/outside.csv'\")",
                                  "duckdb.sql('install httpfs')"])
def test_native_code_of_libraries_stays_inside(front, cell):
    """Nothing of this passes the interpreter: the OS ring holds it."""
    front.run("import polars as pl, duckdb\nframe = pl.DataFrame({'a': [1]})", timeout=60)
    reply, _ = front.run(cell, timeout=60)
    assert reply.content["status"] == "error" and "Read-only file system" in reply.content["evalue"], reply.content


def test_widgets_take_and_send_buffers(front):
    _, outputs = run(front, "import ipywidgets\nimage = ipywidgets.Image(value=b'\\x00\\xff')\nimage")
    assert [message.buffers for message in outputs if message.buffers] == [[b"\x00\xff"]]
    say(front, model_of(outputs), {"method": "update", "state": {}, "buffer_paths": [["value"]]}, buffers=[b"\x01\xfe"])
    assert value(front, "bytes(image.value)") == r"b'\x01\xfe'"


def test_interact_runs_the_function_again(front):
    """What it prints goes to the Output widget, which takes it by the number of the message."""
    _, outputs = run(front, "import ipywidgets\npanel = ipywidgets.interactive(lambda x: print('x is', x), x=(0, 10))\npanel")
    run(front, "slider, output = panel.children")
    moved = say(front, value(front, "slider.model_id").strip("'"), {"method": "update", "state": {"value": 7}, "buffer_paths": []})
    assert text(moved) == "x is 7\n" and "clear_output" in labels(moved)
    output_id = value(front, "output.model_id").strip("'")
    captured = [m.content["data"]["state"]["msg_id"] for m in moved if m.label == "comm_msg" and m.content["comm_id"] == output_id
                and "msg_id" in m.content["data"].get("state", {})]
    assert captured == [moved[0].parent_id, ""]


def test_custom_messages_of_anywidget(front):
    run(front, "import anywidget\nheard = []\nwidget = anywidget.AnyWidget(_esm='export default {}')\n"
               "widget.on_msg(lambda self, content, buffers: heard.append((content, [bytes(b) for b in buffers])))")
    say(front, value(front, "widget.model_id").strip("'"), {"method": "custom", "content": {"k": 1}}, buffers=[b"\x00"])
    assert value(front, "heard") == r"[({'k': 1}, [b'\x00'])]"
    _, outputs = run(front, "widget.send({'back': 2}, buffers=[b'abc'])")
    sent = only(outputs, "comm_msg")
    assert sent.content["data"] == {"method": "custom", "content": {"back": 2}} and sent.buffers == [b"abc"]


def test_a_progress_bar_reaches_its_end(front):
    _, outputs = run(front, "from tqdm.auto import tqdm\nfor i in tqdm(range(3)): pass")
    states = [m.content["data"]["state"] for m in outputs if m.label == "comm_msg"]
    assert {"value": 3.0} in [{"value": state["value"]} for state in states if isinstance(state.get("value"), float)], states


def test_figures_as_widgets(front):
    """%matplotlib widget: the picture travels as a buffer, and the mouse comes back."""
    _, outputs = run(front, "%matplotlib widget\nimport matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\nclicks = []\n"
                            "figure.canvas.mpl_connect('button_press_event', lambda event: clicks.append(event.button))\n"
                            "axes.plot([1, 2])\nplt.show()")
    canvas = model_of(outputs)
    drawn = [message for kind in ("initialized", "send_image_mode", "refresh", "draw")
             for message in say(front, canvas, {"method": "custom", "content": {"type": kind}})]
    assert any(bytes(b).startswith(b"\x89PNG") for message in outputs + drawn for b in message.buffers)
    click = {"type": "button_press", "x": 100, "y": 100, "button": 0, "buttons": 1, "modifiers": [], "guiEvent": {}}
    say(front, canvas, {"method": "custom", "content": click})
    assert value(front, "[int(button) for button in clicks]") == "[1]"
    run(front, "plt.close('all')\n%matplotlib inline")


def test_bokeh_updates_what_is_shown(front):
    run(front, "from bokeh.plotting import figure, show\nfrom bokeh.io import output_notebook, push_notebook\noutput_notebook()\n"
               "plot = figure(width=200, height=200)\nline = plot.line([1, 2], [3, 4])\nhandle = show(plot, notebook_handle=True)")
    _, outputs = run(front, "line.glyph.line_color = 'red'\npush_notebook(handle=handle)")
    assert "red" in json.dumps([m.content for m in outputs if m.label == "comm_msg"])


def test_modules_are_loaded_anew(front):
    run(front, "_ = open('changing.py', 'w').write('value = 1\\n')\n%load_ext autoreload\n%autoreload 2\nimport changing, os")
    run(front, "_ = open('changing.py', 'w').write('value = 22\\n')\nos.utime('changing.py', (2e9, 2e9))")
    assert value(front, "changing.value") == "22"
    run(front, "%autoreload 0")


def test_debug_after_an_error(front):
    front.run("before = 5\nlist(map(lambda n: 1 / n, (1, 0)))")
    msg_id = front.execute("%debug", allow_stdin=True)
    for line in ("p n", "up", "p before", "q"):
        request = front.receive("stdin")
        assert request.content["prompt"] == "ipdb> "
        front.answer_input(line, request)
    assert front.reply(msg_id).content["status"] == "ok"
    said = text(front.outputs(msg_id))
    assert "\n0\n" in said and "\n5\n" in said, said


def test_debug_as_soon_as_there_is_an_error(front):
    run(front, "%pdb on")
    msg_id = front.execute("within = 6\n1 / 0", allow_stdin=True)
    for line in ("p within * 7", "q"):
        front.answer_input(line, front.receive("stdin"))
    assert front.reply(msg_id).content["ename"] == "ZeroDivisionError"
    outputs = front.outputs(msg_id)
    assert [m.label for m in outputs if m.label == "error"] == ["error"] and "42\n" in text(outputs)
    run(front, "%pdb off")
