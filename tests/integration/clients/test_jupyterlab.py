"""JupyterLab in headless Chromium: what a person sees. Pictures of all of it go to tests/artefacts/, to be looked at.

One server, one browser, one page with one notebook: the tests run their own cells of it, in the order of this file.
"""

import re

import pytest
from lab import TOKEN, Book, running_server, shoot_page, write_notebook
from playwright.sync_api import TimeoutError as Late
from playwright.sync_api import expect, sync_playwright

LONG = "elsewhere/" + "a-folder-with-a-long-name/" * 6
CELLS = {
    "stream": "import sys\nprint('seen by', 'a browser')\nprint('a warning', file=sys.stderr)",
    "table": "import pandas\npandas.DataFrame({'species': ['Adelie', 'Gentoo'], 'mass': [3700.5, 5076.0]})",
    "plot": "import matplotlib.pyplot as plt\nplt.plot([1, 4, 2, 8])\nplt.show()",
    "traceback": "import json\njson.loads('{not json}')",
    "interact": "from ipywidgets import interact\ninteract(lambda x: print('x is', x), x=(0, 100));",
    "figure": "%matplotlib widget\nfigure, axes = plt.subplots(figsize=(4, 2))\naxes.plot([1, 2]);",
    "anywidget": "import anywidget, traitlets\nkind = type('Counter', (anywidget.AnyWidget,), {'n': traitlets.Int(1).tag(sync=True), '_esm':\n"
                 "    'export default { render({ model, el }) { let b = document.createElement(\"button\"); b.className = \"counts\";'\n"
                 "    'let show = () => { b.textContent = \"count \" + model.get(\"n\") }; show(); model.on(\"change:n\", show);'\n"
                 "    'b.onclick = () => { model.set(\"n\", model.get(\"n\") + 1); model.save_changes() }; el.append(b) } }'})\n"
                 "counter = kind()\ncounter",
    "callback": "import time\nfrom ipywidgets import IntSlider, Label\nslider, label = IntSlider(0), Label('still')\n"
                "slider.observe(lambda change: (time.sleep(0.05), label.set_trait('value', f'moved to {change.new}')), 'value')\n"
                "display(slider, label)",
    "read": "print('read', slider.value, label.value)",
    "progress": "from tqdm.auto import tqdm\nfor i in tqdm(range(50), 'bar'): pass",
    "card": "import os\nos.remove('/srv/elsewhere')",
    "long card": f"open('/srv/{LONG}', 'w')",
    "rules card": "def f(x):\n    return x",
    "program": "!ls",
    "endless": "import time\ntime.sleep(300)",
    "last": "1",
}
DEBUGGED = {"loop": "words = {'a': [1, 2]}\ntotal = 0\nfor number in [3, 4]:\n    total += number\nprint('the total is', total)"}
ASKING = {"ask": "open('../let-pass', 'w').write('x')", "command": "!echo allowed && pwd"}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("lab")
    write_notebook(directory / "book.ipynb", "safepyrun", CELLS)
    write_notebook(directory / "below" / "asking.ipynb", "safepyrun-asks", ASKING)
    write_notebook(directory / "below" / "debugged.ipynb", "safepyrun", DEBUGGED)
    return directory


@pytest.fixture(scope="module")
def address(jupyter, directory):
    with running_server(directory, jupyter) as address:
        yield address


@pytest.fixture(scope="module")
def page():
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1300, "height": 1000})
        page.set_default_timeout(30_000)
        yield page
        chromium.close()


@pytest.fixture(scope="module")
def tile(page, address):
    """What the launcher shows, before a notebook is opened."""
    page.goto(f"{address}/lab?token={TOKEN}&reset")
    tile = page.locator('.jp-LauncherCard[data-category="Notebook"][title^="Python 3 (safepyrun)"]').first
    tile.wait_for()
    return tile


@pytest.fixture(scope="module")
def book(page, address):
    return Book(page, address, "book.ipynb", "Python 3 (safepyrun)", CELLS)


def test_launcher_tile_with_our_logo(tile, page):
    logo = tile.locator("img")
    logo.wait_for()
    assert "/kernelspecs/safepyrun/logo-" in logo.get_attribute("src")
    assert logo.evaluate("image => image.complete && image.naturalWidth > 0")
    shoot_page(page, "launcher")


# ---- outputs ---------------------------------------------------------------------------------------


def test_streams_table_and_plot(book):
    expect(book.run("stream")).to_contain_text("seen by a browser")
    expect(book.output("stream").locator('[data-mime-type="application/vnd.jupyter.stderr"]')).to_contain_text("a warning")
    expect(book.run("table").locator("table")).to_contain_text("Gentoo")
    plot = book.run("plot").locator("img")
    plot.wait_for()
    assert plot.evaluate("image => image.naturalWidth > 100")
    for name in ("stream", "table", "plot"):
        book.shoot(name, name)


def test_traceback(book):
    area = book.run("traceback")
    expect(area).to_contain_text("JSONDecodeError: Expecting property name")
    expect(area).to_contain_text("json.loads('{not json}')")
    book.shoot("traceback", "traceback")


# ---- widgets ---------------------------------------------------------------------------------------


def test_a_slider_that_the_mouse_moves_runs_the_function(book, page):
    area = book.run("interact")
    expect(area.locator(".jp-OutputArea-output", has_text="x is 50").last).to_be_visible()
    handle = area.locator(".noUi-handle").first.bounding_box()
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=4)
    page.mouse.up()
    expect(area.locator(".widget-readout")).not_to_have_text("50")
    value = area.locator(".widget-readout").inner_text()
    expect(area.locator(".jp-OutputArea-output", has_text=f"x is {value}").last).to_be_visible()
    expect(area).not_to_contain_text("x is 50")
    book.shoot("interact", "interact")


def test_figure_as_a_widget(book):
    canvas = book.run("figure").locator(".jupyter-matplotlib-canvas-div canvas").first
    canvas.wait_for()
    expect(book.output("figure")).to_contain_text("Figure 1")
    book.idle()
    book.shoot("figure", "figure")


def test_a_widget_of_ones_own(book):
    button = book.run("anywidget").locator("button.counts")
    expect(button).to_have_text("count 1")
    button.click()
    expect(button).to_have_text("count 2")
    expect(book.run("last", "counter.n")).to_contain_text("2")


def press_and_run(handle, key):
    """One turn of JavaScript: a key on a slider, then the selected cell; nobody who types is as fast."""
    handle.evaluate("""(handle, key) => {
        handle.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
        window.jupyterapp.commands.execute('notebook:run-cell')}""", key)


def test_the_next_cell_finds_what_a_slider_was_moved_to(book, page):
    """Its callback runs in a subshell of JupyterLab's, the cell in the main shell."""
    handle = book.run("callback").locator(".noUi-handle").first
    handle.wait_for()
    book.idle()
    expect(book.run("read")).to_contain_text("read 0 still")
    first = int(book.cell("read").locator(".jp-InputPrompt").inner_text().strip("[]: "))
    for n in range(1, 21):
        press_and_run(handle, "ArrowRight")
        expect(book.cell("read").locator(".jp-InputPrompt")).to_have_text(f"[{first + n}]:")
        assert book.output("read").inner_text().strip() == f"read {n} moved to {n}"


def test_a_callback_runs_while_a_cell_runs(book, page):
    handle = book.output("callback").locator(".noUi-handle").first
    area = book.run("endless")
    page.locator('.jp-Notebook-ExecutionIndicator[data-status="busy"]').first.wait_for()
    for n in range(21, 24):
        handle.press("ArrowRight")
        expect(book.output("callback")).to_contain_text(f"moved to {n}")
    expect(book.cell("endless").locator(".jp-InputPrompt")).to_contain_text("[*]:")
    page.wait_for_timeout(300)
    expect(page.locator('.jp-Notebook-ExecutionIndicator[data-status="busy"]').first).to_be_visible()
    book.shoot("callback", "callback")
    page.locator('[data-jp-item-name="interrupt"]').first.click()
    expect(area).to_contain_text("KeyboardInterrupt")
    book.idle()


def test_progress_bar(book):
    expect(book.run("progress")).to_contain_text("50/50")
    book.shoot("progress", "progress")


# ---- refusals --------------------------------------------------------------------------------------


def contrast(card):
    """Of the text to what is behind it, as WCAG counts it."""
    return card.evaluate("""card => {
        const parts = color => color.match(/[\\d.]+/g).map(Number);
        const light = rgb => rgb.slice(0, 3).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
        const style = getComputedStyle(card), text = light(parts(style.color)), back = light(parts(style.backgroundColor));
        return (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05)}""")


def check_cards(book, theme):
    for name in ("card", "long card", "rules card", "program"):
        card = book.output(name).locator(".jp-RenderedHTMLCommon > div").first
        expect(card).to_contain_text("Refused: ")
        assert contrast(card) >= 4.5, (name, theme)
        assert card.evaluate("card => card.scrollWidth <= card.clientWidth"), (name, theme)
        book.shoot(name, f"{name.replace(' ', '-')}-{theme}")


def test_refusal_cards_in_light_and_dark(book):
    for name in ("card", "long card", "rules card", "program"):
        expect(book.run(name)).to_contain_text("PermissionError")
    check_cards(book, "light")
    book.theme("Dark")
    check_cards(book, "dark")
    shoot_page(book.page, "dark")
    book.theme("Light")


# ---- the kernel ------------------------------------------------------------------------------------


def test_usage_panel(book, page):
    page.locator('[data-id="kernelusage-panel-id"], li[title="Kernel Usage"]').first.click()
    panel = page.locator(".jp-KernelUsage-view, #kernelusage-panel-id").first
    expect(panel).to_contain_text(re.compile(r"Memory:?\s+[\d.]+ [KMG]?B"))
    expect(panel).to_contain_text(re.compile(r"Process ID: \d+"))
    expect(panel).to_contain_text(re.compile(r"CPU: [\d.]+"))
    shoot_page(page, "usage")
    page.locator('[data-id="kernelusage-panel-id"], li[title="Kernel Usage"]').first.click()


def test_interrupt_button(book, page):
    area = book.run("endless")
    page.locator('.jp-Notebook-ExecutionIndicator[data-status="busy"]').first.wait_for()
    page.locator('[data-jp-item-name="interrupt"]').first.click()
    expect(area).to_contain_text("KeyboardInterrupt")
    book.idle()
    book.shoot("endless", "interrupt")


def test_restart(book, page):
    book.command("Kernel", "Restart Kernel…")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    page.wait_for_timeout(500)
    book.idle()
    book.run("last", "print('again')")
    expect(book.output("last")).to_contain_text("again")
    expect(book.cell("last").locator(".jp-InputPrompt")).to_contain_text("[1]:")


def say_once(page, book, cell, words, picture="question"):
    area = book.run(cell)
    area.locator(".jp-Stdin-prompt").wait_for()
    asked = area.locator(".jp-Stdin-prompt").inner_text()
    assert words in asked, asked
    code = re.search(r"once (\d{4}) ", asked)[1]
    book.shoot(cell, picture)
    area.locator(".jp-Stdin-input").fill(f"once {code}")
    page.keyboard.press("Enter")
    book.idle()


def test_a_person_says_yes(page, address, directory):
    """on_deny = "ask": the question stands below the cell, readable, and its answer counts."""
    asking = Book(page, address, "below/asking.ipynb", "safepyrun-asks", ASKING)
    say_once(page, asking, "ask", f'\n    "{directory.resolve()}/let-pass"\n')
    expect(asking.cell("ask").locator(".jp-OutputArea-executeResult")).to_contain_text("1")
    assert (directory / "let-pass").read_text() == "x"
    asking.shoot("ask", "answered")
    say_once(page, asking, "command", "\n    | echo allowed && pwd\nin the folder\n", "command-question")
    expect(asking.output("command")).to_contain_text(f"allowed\n{directory.resolve()}/below")
    asking.shoot("command", "command-answered")


def switch_debugger_on(page):
    """A click while JupyterLab still gets ready changes the look of the bug, and nothing else."""
    title = page.locator(".jp-DebuggerSidebar").get_by_text("debugged.ipynb").first
    for _ in range(10):
        page.locator(".jp-DebuggerBugButton").first.click()
        try:
            return title.wait_for(timeout=4_000)
        except Late:
            continue
    raise AssertionError("the debugger does not start")


def test_the_debugger(page, address):
    """The bug is there to be switched on; a click beside a line, and the cell stops there with its variables in the panel."""
    debugged = Book(page, address, "below/debugged.ipynb", "Python 3 (safepyrun)", DEBUGGED)
    switch_debugger_on(page)
    debugged.cell("loop").locator(".cm-breakpoint-gutter .cm-gutterElement").nth(4).click()
    expect(page.locator(".jp-DebuggerBreakpoint").first).to_contain_text("4")
    area = debugged.run("loop")
    expect(page.locator(".jp-DebuggerCallstack-body")).to_contain_text("<module>")
    variables = page.locator(".jp-DebuggerVariables")
    expect(variables).to_contain_text("total")
    expect(variables.get_by_text("number", exact=True).first).to_be_visible()
    shoot_page(page, "debugger-stopped")
    page.locator('[data-command="debugger:next"]').first.click()
    page.locator('[data-command="debugger:continue"]').first.click()
    page.locator('[data-command="debugger:continue"]').first.click()
    expect(area).to_contain_text("the total is 7")
    debugged.idle()
