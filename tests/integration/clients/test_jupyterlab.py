"""JupyterLab in headless Chromium: what a person sees. Screenshots go to tests/artefacts/."""

import json
import re
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import pytest
from kernel_process import PROJECT, free_ports
from nbformat.v4 import new_code_cell, new_notebook, writes
from playwright.sync_api import TimeoutError as Late
from playwright.sync_api import expect, sync_playwright

SCREENSHOTS = PROJECT / "tests" / "artefacts"
TOKEN = "a-token-for-this-test"
CELLS = [
    "print('seen by', 'a browser')",
    "import matplotlib.pyplot as plt\nplt.plot([1, 4, 2, 8])\nplt.show()",
    "import ipywidgets\nslider = ipywidgets.IntSlider(value=3, max=10)\nslider",
    "import os\nos.remove('/srv/elsewhere')",
    "import time\ntime.sleep(300)",
]
DEBUGGED_CELL = "words = {'a': [1, 2]}\ntotal = 0\nfor number in [3, 4]:\n    total += number\nprint('the total is', total)"
ASKING_CELL = "open('../let-pass', 'w').write('x')"


@contextmanager
def running_server(directory, environment):
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--port-retries=0",
               f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={directory}",
               "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with (directory / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=directory, env=environment, stdout=log, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, server)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def wait_for(address, server, timeout=60):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/api/status?token={TOKEN}", timeout=2) as answer:
                return json.load(answer)
        except OSError:
            time.sleep(0.2)
    raise TimeoutError("JupyterLab did not start")


@pytest.fixture(scope="module")
def lab(jupyter, tmp_path_factory):
    directory = tmp_path_factory.mktemp("lab")
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in CELLS])
    notebook.metadata.kernelspec = {"name": "safepyrun", "display_name": "Python 3 (safepyrun)", "language": "python"}
    (directory / "book.ipynb").write_text(writes(notebook))
    (directory / "below").mkdir()
    asking = new_notebook(cells=[new_code_cell(ASKING_CELL)])
    asking.metadata.kernelspec = {"name": "safepyrun-asks", "display_name": "safepyrun-asks", "language": "python"}
    (directory / "below" / "asking.ipynb").write_text(writes(asking))
    debugged = new_notebook(cells=[new_code_cell(DEBUGGED_CELL)], metadata=notebook.metadata)
    (directory / "below" / "debugged.ipynb").write_text(writes(debugged))
    with running_server(directory, jupyter) as address:
        yield address


@pytest.fixture(scope="module")
def lab_directory(tmp_path_factory, lab):
    return next(path for path in tmp_path_factory.getbasetemp().glob("lab*") if (path / "book.ipynb").exists())


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, request):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)
    yield page
    page.screenshot(path=SCREENSHOTS / f"lab-{request.node.name}.png")
    page.close()


def open_notebook(page, lab):
    page.goto(f"{lab}/lab/tree/book.ipynb?token={TOKEN}&reset")
    page.locator(".jp-Notebook .jp-CodeCell").nth(len(CELLS) - 1).wait_for(state="attached")
    idle(page)


def idle(page):
    page.locator('.jp-NotebookPanel [data-status="idle"], .jp-Notebook-ExecutionIndicator[data-status="idle"]').first.wait_for()


def cell(page, number):
    return page.locator(".jp-Notebook .jp-CodeCell").nth(number)


def run_cell(page, number):
    cell(page, number).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    return cell(page, number).locator(".jp-OutputArea")


def command(page, menu, item):
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.get_by_role("menuitem", name=item).first.click()


def test_launcher_tile_with_our_logo(page, lab):
    page.goto(f"{lab}/lab?token={TOKEN}&reset")
    tile = page.locator('.jp-LauncherCard[data-category="Notebook"][title^="Python 3 (safepyrun)"]').first
    tile.wait_for()
    logo = tile.locator("img")
    logo.wait_for()
    assert "/kernelspecs/safepyrun/logo-" in logo.get_attribute("src")
    assert logo.evaluate("image => image.complete && image.naturalWidth > 0")


def test_cells_in_the_browser(page, lab):
    open_notebook(page, lab)
    expect(run_cell(page, 0)).to_contain_text("seen by a browser")
    plot = run_cell(page, 1).locator("img")
    plot.wait_for()
    assert plot.evaluate("image => image.naturalWidth > 100")
    run_cell(page, 2).locator(".widget-slider, .jupyter-widget-slider").first.wait_for()
    expect(run_cell(page, 3)).to_contain_text("PermissionError")


def test_slider_changes_the_value(page, lab):
    open_notebook(page, lab)
    area = run_cell(page, 2)
    area.locator(".widget-readout").wait_for()
    area.locator(".noUi-handle").first.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(area.locator(".widget-readout")).to_have_text("7")
    cell(page, 0).locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.type("print('the value is', slider.value)")
    page.keyboard.press("Control+Enter")
    expect(cell(page, 0).locator(".jp-OutputArea")).to_contain_text("the value is 7")


def test_interrupt(page, lab):
    open_notebook(page, lab)
    area = run_cell(page, 4)
    page.locator('[data-status="busy"]').first.wait_for()
    command(page, "Kernel", "Interrupt Kernel")
    expect(area).to_contain_text("KeyboardInterrupt")
    idle(page)


def test_a_person_says_yes(page, lab, lab_directory):
    """on_deny = "ask": the question stands below the cell, readable, and its answer counts."""
    page.goto(f"{lab}/lab/tree/below/asking.ipynb?token={TOKEN}&reset")
    cell(page, 0).wait_for(state="attached")
    page.get_by_text("safepyrun-asks | Idle").wait_for()    # this session starts now: idle() alone is too early
    area = run_cell(page, 0)
    area.locator(".jp-Stdin-prompt").wait_for()
    asked = area.locator(".jp-Stdin-prompt").inner_text()
    assert f'\n    "{lab_directory.resolve()}/let-pass"\n' in asked, asked
    code = re.search(r"once (\d{4}) ", asked)[1]
    page.screenshot(path=SCREENSHOTS / "lab-question.png")
    area.locator(".jp-Stdin-input").fill(f"once {code}")
    page.keyboard.press("Enter")
    idle(page)
    expect(cell(page, 0).locator(".jp-OutputArea-executeResult")).to_contain_text("1")
    assert (lab_directory / "let-pass").read_text() == "x"


def test_restart(page, lab):
    open_notebook(page, lab)
    expect(run_cell(page, 0)).to_contain_text("seen by a browser")
    command(page, "Kernel", "Restart Kernel…")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    page.wait_for_timeout(500)
    idle(page)
    run_cell(page, 0)
    expect(cell(page, 0).locator(".jp-InputPrompt")).to_contain_text("[1]:")


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


def test_the_debugger(page, lab):
    """The bug is there to be switched on; a click beside a line, and the cell stops there with its variables in the panel."""
    page.goto(f"{lab}/lab/tree/below/debugged.ipynb?token={TOKEN}&reset")
    cell(page, 0).wait_for(state="attached")
    page.get_by_text("Python 3 (safepyrun) | Idle").wait_for()
    switch_debugger_on(page)
    cell(page, 0).locator(".cm-breakpoint-gutter .cm-gutterElement").nth(4).click()
    expect(page.locator(".jp-DebuggerBreakpoint").first).to_contain_text("4")
    cell(page, 0).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    frames = page.locator(".jp-DebuggerCallstack-body")
    expect(frames).to_contain_text("<module>")
    variables = page.locator(".jp-DebuggerVariables")
    expect(variables).to_contain_text("total")
    expect(variables.get_by_text("number", exact=True).first).to_be_visible()
    page.screenshot(path=SCREENSHOTS / "lab-debugger-stopped.png")
    page.locator('[data-command="debugger:next"]').first.click()
    page.locator('[data-command="debugger:continue"]').first.click()
    page.locator('[data-command="debugger:continue"]').first.click()
    expect(cell(page, 0).locator(".jp-OutputArea")).to_contain_text("the total is 7")
    idle(page)
