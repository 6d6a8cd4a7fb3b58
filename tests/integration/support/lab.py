"""A JupyterLab server, and what a person does in one notebook of it, for tests in a browser.

The notebook is one page for many tests: opening it takes longer than any of them.
"""

import json
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

from kernel_process import PROJECT, free_ports
from nbformat.v4 import new_code_cell, new_notebook, writes

SCREENSHOTS = PROJECT / "tests" / "artefacts"
TOKEN = "a-token-for-this-test"
#: no cell is taken out of the page because it is not in sight; no news
SETTINGS = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
            "@jupyterlab/apputils-extension:notification": {"checkForUpdates": False, "fetchNews": "false"}}


@contextmanager
def running_server(directory, environment):
    (port,) = free_ports(1)
    settings = directory / ".settings"
    settings.mkdir()
    (settings / "overrides.json").write_text(json.dumps(SETTINGS))
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--port-retries=0",
               f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={directory}", f"--LabApp.app_settings_dir={settings}",
               "--LabApp.expose_app_in_browser=True",
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


def wait_for(address, server, timeout=100):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/api/status?token={TOKEN}", timeout=2) as answer:
                return json.load(answer)
        except OSError:
            time.sleep(0.2)
    raise TimeoutError("JupyterLab did not start")


def write_notebook(path, kernel, cells):
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells.values()])
    notebook.metadata.kernelspec = {"name": kernel, "display_name": kernel, "language": "python"}
    path.parent.mkdir(exist_ok=True)
    path.write_text(writes(notebook))


class Book:
    """One notebook in one page; cells go by their names."""

    def __init__(self, page, address, path, kernel, cells):
        self.page = page
        self.names = list(cells)
        page.goto(f"{address}/lab/tree/{path}?token={TOKEN}&reset")
        self.cell(self.names[-1]).wait_for(state="attached")
        page.get_by_text(f"{kernel} | Idle").wait_for()     # a session that starts now: what idle() looks at comes too early

    def idle(self):
        """The kernel is there and has nothing to do."""
        self.page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first.wait_for()

    def cell(self, name):
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(self.names.index(name))

    def output(self, name):
        return self.cell(name).locator(".jp-OutputArea").first

    def run(self, name, code=None):
        """Returns at once; with `code` the cell is written anew."""
        self.cell(name).locator(".cm-content").click()
        if code is not None:
            self.page.keyboard.press("Control+A")
            self.page.keyboard.type(code)
        self.page.keyboard.press("Control+Enter")
        return self.output(name)

    def command(self, menu, item):
        self.page.get_by_role("menuitem", name=menu, exact=True).click()
        self.page.get_by_role("menuitem", name=item).first.click()

    def theme(self, name):
        self.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", f"JupyterLab {name}")
        self.page.locator(f'body[data-jp-theme-name="JupyterLab {name}"]').wait_for(state="attached")

    def shoot(self, name, picture):
        """A picture of one cell."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.cell(name).scroll_into_view_if_needed()
        self.cell(name).screenshot(path=SCREENSHOTS / f"lab-{picture}.png")


def shoot_page(page, picture):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"lab-{picture}.png")
