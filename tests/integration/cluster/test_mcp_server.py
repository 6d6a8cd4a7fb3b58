"""jupyter-mcp-server: an assistant works in a notebook that is open in a live JupyterLab, on our kernel."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import anyio
import jupyterlab
import kernelspecs
import nbformat
import pytest
from gateway import free_port
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from nbformat.v4 import new_notebook

TOKEN = "a-token-of-the-test"


class Lab:
    """JupyterLab with its collaboration extension, and one notebook."""

    def __init__(self, folder):
        self.folder = folder
        self.book = folder / "book.ipynb"
        self.url = f"http://127.0.0.1:{free_port()}"
        for name in ("safepyrun", "python3"):       # the server's default is the latter
            kernelspecs.install(folder, "--name", name)
        self.environment = os.environ | kernelspecs.environment(folder)
        # JupyterLab's page lies in the environment below this one.
        self.environment["JUPYTERLAB_DIR"] = str(Path(jupyterlab.__file__).parents[4] / "share/jupyter/lab")
        Path(self.environment["JUPYTER_DATA_DIR"]).mkdir()
        config = Path(self.environment["JUPYTER_CONFIG_DIR"])
        config.mkdir()
        within = {"ServerApp": {"jpserver_extensions": {"jupyter_mcp_server": False}}}     # it runs as a program of its own
        (config / "jupyter_server_config.json").write_text(json.dumps(within))
        kernelspec = {"name": "safepyrun", "display_name": "Python 3 (safepyrun)", "language": "python"}
        nbformat.write(new_notebook(metadata={"kernelspec": kernelspec}), self.book)
        with (folder / "lab.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={self.url.rsplit(':')[-1]}",
                 f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}"], env=self.environment, cwd=folder, stdout=log, stderr=log)
        self.wait()

    def wait(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                return self.request("GET", "/api/status")
            except OSError:
                assert self.process.poll() is None, (self.folder / "lab.log").read_text()
                time.sleep(0.1)
        raise TimeoutError((self.folder / "lab.log").read_text())

    def request(self, method, path):
        request = urllib.request.Request(self.url + path, method=method, headers={"Authorization": f"token {TOKEN}"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def interrupt(self):
        """As the button of a person would."""
        kernel, = self.request("GET", "/api/kernels")
        assert kernel["execution_state"] == "busy"
        self.request("POST", f"/api/kernels/{kernel['id']}/interrupt")

    def assistant(self, task):
        """Runs task(call) with a server; call(tool, …) returns what the tool says."""
        parameters = StdioServerParameters(
            command=sys.executable, args=["-m", "jupyter_mcp_server", "--jupyter-url", self.url, "--jupyter-token", TOKEN,
                                          "--start-new-code-sandbox", "false"], env=self.environment, cwd=str(self.folder))

        async def main():
            async with Client(parameters) as client:
                async def call(tool, **arguments):
                    result = await client.call_tool(tool, arguments)
                    said = "\n".join(each.text for each in result.content)
                    assert not result.is_error, said
                    return said

                await call("use_notebook", notebook_name="book", notebook_path=self.book.name, mode="connect")
                await task(call)

        anyio.run(main)

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.end()


async def interrupted_by_a_person(lab, call):
    """What the assistant is told."""
    answers = []

    async def loop():
        answers.append(await call("execute_code", code="while True: pass", timeout=30))

    async with anyio.create_task_group() as group:
        group.start_soon(loop)
        await anyio.sleep(1)
        await anyio.to_thread.run_sync(lab.interrupt)
    return answers[0]


def test_an_assistant_works_in_a_notebook(lab):
    async def task(call):
        said = await call("insert_execute_code_cell", cell_index=0, cell_source="x = 20\nprint('hello')\nx + 1")
        assert "hello" in said and "21" in said
        await call("insert_cell", cell_index=1, cell_type="code", cell_source="1 / 0")
        assert "ZeroDivisionError: division by zero" in await call("execute_cell", cell_index=1)
        said = await call("read_cell", cell_index=0)
        assert "execution count: 1" in said and "print('hello')" in said and "21" in said
        said = await call("insert_execute_code_cell", cell_index=2, cell_source="import subprocess\nsubprocess.run(['true'])")
        assert "Refused: start a program" in said and "what helps: " in said and "PermissionError" in said
        said = await call("insert_execute_code_cell", cell_index=3, cell_source="print('on', flush=True)\nwhile True: pass", timeout=1)
        assert "on" in said and "TIMEOUT" in said and "KeyboardInterrupt" in said
        assert "KeyboardInterrupt" in await interrupted_by_a_person(lab, call)
        assert await call("execute_code", code="x") == "20"

    lab.assistant(task)
    cells = nbformat.read(lab.book, as_version=4).cells      # what a person sees who looks on
    assert cells[0].outputs[0].text == "hello\n"
    assert cells[1].outputs[0].ename == "ZeroDivisionError"
    assert "application/vnd.safepyrun.refusal+json" in cells[2].outputs[0].data
