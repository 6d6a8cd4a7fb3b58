"""`safepyrun mcp` with the official client of the Model Context Protocol, in both ways of beginning."""

import json
import signal
import subprocess
import sys
import time

import anyio
import pytest
from kernel_process import PROGRAM, clean_environment
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters


class Agent:
    """One server in a directory of its own; use(task) runs task(client) in an event loop."""

    def __init__(self, directory, mode, arguments=()):
        self.mode = mode
        home = directory / "home"
        self.work = directory / "work"
        for each in (home, self.work):
            each.mkdir()
        self.parameters = StdioServerParameters(
            command=str(PROGRAM),
            args=["mcp", "--python", sys.executable, "--shell", "plain", *map(str, arguments)],
            env=clean_environment(home) | {"TMPDIR": str(directory)},
            cwd=self.work,
        )

    def use(self, task):
        async def main():
            async with Client(self.parameters, mode=self.mode) as client:
                return await task(client)

        return anyio.run(main)


@pytest.fixture(params=["auto", "legacy"])
def agent(request, tmp_path):
    agent = Agent(tmp_path, request.param)
    yield agent
    assert {path.name for path in tmp_path.iterdir()} == {"home", "work"}, "left something behind"


async def run(client, code, **arguments):
    return await client.call_tool("run_code", {"code": code, **arguments})


def test_tools_are_described(agent):
    tools = {tool.name: tool for tool in agent.use(lambda client: client.list_tools()).tools}
    assert list(tools) == ["run_code", "rewind", "variables", "status", "reset"]
    assert tools["run_code"].input_schema["required"] == ["code"]
    assert tools["variables"].annotations.read_only_hint


def test_output_result_and_state(agent):
    async def task(client):
        first = await run(client, "import sys\nx = 20\nprint('hé'); print('err', file=sys.stderr)\nx + 1")
        second = await run(client, "x * 2")
        return first, second

    first, second = agent.use(task)
    assert not first.is_error and first.content[0].text == "hé\nerr\n21\n"
    data = first.structured_content
    assert (data["status"], data["stdout"], data["stderr"], data["result"]) == ("ok", "hé\n", "err\n", "21")
    assert data["execution_count"] == 1 and data["safepyrun"]["denial_count"] == 0
    assert second.structured_content["result"] == "40"


def test_a_cell_without_output_says_so(agent):
    assert agent.use(lambda client: run(client, "y = 1")).content[0].text == "(no output)"


def test_plots_are_images(agent):
    async def task(client):
        return await run(
            client,
            "from IPython.display import Image\nimport base64\n"
            "image = Image(base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='))\n"
            "print('before'); image",
        )

    text, image = agent.use(task).content
    assert text.text == "before\n" and image.mime_type == "image/png" and image.data.startswith("iVBOR")


def test_a_refusal_is_a_card(agent):
    result = agent.use(lambda client: run(client, "import os\nos.remove('/etc/hosts')"))
    assert result.is_error
    assert "\033" not in result.content[0].text and "safepyrun refused to delete a file" in result.content[0].text
    card, = result.structured_content["refusals"]
    assert (card["event"], card["rule"], card["subject"]) == ("os.remove", "ok_dests", "/etc/hosts")
    assert result.structured_content["error"]["name"] == "PermissionError"


def test_refusals_that_a_library_swallows_are_counted(agent):
    result = agent.use(lambda client: run(client, "import sys\nsys.addaudithook(print)"))
    assert not result.is_error and result.structured_content["safepyrun"]["denial_count"] == 1


def test_text_is_any_text(agent):
    result = agent.use(lambda client: run(client, "print('\\x00\\ud800 𝄞', end='')"))
    assert result.structured_content["stdout"].endswith(" 𝄞")


def test_variables_and_status(agent):
    async def task(client):
        await run(client, "a = [1, 2]")
        return await client.call_tool("variables", {}), await client.call_tool("status", {})

    variables, status = agent.use(task)
    assert variables.structured_content["variables"] == [{"name": "a", "type": "list", "length": 2}]
    assert status.structured_content["state"] == "idle"


def test_status_answers_while_code_runs(agent):
    async def task(client):
        async with anyio.create_task_group() as group:
            group.start_soon(run, client, "import time; time.sleep(1.5)")
            await anyio.sleep(0.7)
            began = time.monotonic()
            status = await client.call_tool("status", {})
            return status.structured_content["state"], time.monotonic() - began

    state, taken = agent.use(task)
    assert state == "busy" and taken < 0.6


def test_progress_tells_what_is_new(agent):
    told = []

    async def hear(progress, total, message):
        told.append((progress, message))

    async def task(client):
        code = "import time\nfor i in range(10):\n    print(i)\n    time.sleep(0.1)"
        return await client.call_tool("run_code", {"code": code}, progress_callback=hear)

    agent.use(task)
    assert len(told) >= 2 and [number for number, _ in told] == sorted({number for number, _ in told})
    assert "".join(text for _, text in told) in "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n"


def test_a_deadline(agent):
    async def task(client):
        slow = await run(client, "x = 5\nimport time; time.sleep(60)", timeout_seconds=1)
        return slow, await run(client, "x")

    slow, after = agent.use(task)
    assert slow.is_error and slow.structured_content["error"]["name"] == "LimitExceeded"
    assert after.structured_content["result"] == "5"


def test_a_trial_is_forgotten_and_a_rewind_undoes(agent):
    async def task(client):
        await run(client, "x = 1")
        trial = await run(client, "x = 2\nprint('tried', x)", trial=True)
        before = await run(client, "x")
        await anyio.sleep(1.5)      # as a model thinks: copies are made while nothing is asked, on a busy machine after half a second
        await run(client, "x = 3")
        undone = await client.call_tool("rewind", {"cells": 1})
        return trial, before, undone, await run(client, "x")

    trial, before, undone, after = agent.use(task)
    assert trial.structured_content["stdout"].startswith("tried 2\n"), trial.content
    assert before.structured_content["result"] == "1"
    assert not undone.is_error, undone.content
    assert after.structured_content["result"] == "1"


def test_cancelling_interrupts(agent):
    async def task(client):
        await run(client, "x = 6")
        with anyio.move_on_after(0.5):
            await run(client, "import time; time.sleep(60)")
        began = time.monotonic()
        return await run(client, "x"), time.monotonic() - began

    after, taken = agent.use(task)
    assert after.structured_content["result"] == "6" and taken < 10


def test_cancelling_ends_native_code_too(agent):
    async def task(client):
        await run(client, "x = 6")
        await anyio.sleep(1.5)  # time for a copy, which takes over, as above
        with anyio.move_on_after(0.5):
            await run(client, "x = 7; sum(range(10**11))")
        with anyio.fail_after(20):
            return await run(client, "x")

    assert agent.use(task).structured_content["result"] == "6"


def test_reset_and_death_begin_anew(agent):
    async def task(client):
        await run(client, "x = 1")
        await client.call_tool("reset", {})
        gone = await run(client, "x")
        dead = await run(client, "import os; os._exit(3)")
        return gone, dead, await run(client, "1")

    gone, dead, after = agent.use(task)
    assert gone.structured_content["error"]["name"] == "NameError"
    assert dead.is_error and "exit status 3" in dead.content[0].text
    assert after.structured_content["result"] == "1"


@pytest.mark.parametrize("arguments, named", [({}, "code"), ({"code": 1}, "code"), ({"code": "1", "timeout_seconds": 0}, "timeout_seconds")])
def test_wrong_arguments_are_told_to_the_model(agent, arguments, named):
    result = agent.use(lambda client: client.call_tool("run_code", arguments))
    assert result.is_error and named in result.content[0].text
    assert result.structured_content is None    # nothing that outputSchema describes


def test_a_call_without_a_result_has_no_structured_content(server):
    """Clients hold it against outputSchema, of errors as well; null is nothing that the protocol knows there."""
    answer = exchange(server, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "run_code", "arguments": {}}})
    assert answer["result"]["isError"] and "structuredContent" not in answer["result"]


def test_the_policy_holds(tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text('preset = "read-only"\n')
    (tmp_path / "agent").mkdir()
    agent = Agent(tmp_path / "agent", "auto", ["--policy", policy])
    result = agent.use(lambda client: run(client, "open('x', 'w')"))
    assert result.structured_content["refusals"][0]["rule"] == "ok_dests"


# ---- below the client: lines as they are on the wire


@pytest.fixture
def server(tmp_path):
    """A server's pipes; send(object or bytes) and receive()."""
    process = subprocess.Popen(
        [PROGRAM, "mcp", "--shell", "plain", "--python", sys.executable],
        cwd=tmp_path,
        env=clean_environment(tmp_path) | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    yield process
    with process:
        process.stdin.close()
        assert process.wait(10) in (0, -signal.SIGKILL)


def exchange(server, line):
    line = line if isinstance(line, bytes) else json.dumps(line).encode()
    server.stdin.write(line + b"\n")
    server.stdin.flush()
    return json.loads(server.stdout.readline())


@pytest.mark.parametrize("line, code", [
    (b"{", -32700),
    (b'"\xff"', -32700),
    (b"[]", -32600),
    (b'{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}', -32600),
    (b'{"jsonrpc": "2.0", "id": 1}', -32600),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "no/such"}', -32601),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "no"}}', -32602),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": [1]}', -32602),
])
def test_wrong_lines_are_answered(server, line, code):
    assert exchange(server, line)["error"]["code"] == code
    assert "error" not in exchange(server, {"jsonrpc": "2.0", "id": "still alive", "method": "ping"})


def test_an_unknown_revision_is_named(server):
    request = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": {"io.modelcontextprotocol/protocolVersion": "2099-01-01"}}}
    error = exchange(server, request)["error"]
    assert error["code"] == -32022 and "2026-07-28" in error["data"]["supported"]


@pytest.mark.parametrize("asked, given", [("2024-11-05", "2024-11-05"), ("2099-01-01", "2025-11-25")])
def test_the_handshake_agrees_on_a_revision(server, asked, given):
    request = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": asked, "capabilities": {}}}
    assert exchange(server, request)["result"]["protocolVersion"] == given


def test_many_calls_in_one_write(server):
    calls = [
        {"jsonrpc": "2.0", "id": n, "method": "tools/call", "params": {"name": "run_code", "arguments": {"code": f"x = {n}; x"}}}
        for n in range(20)
    ]
    server.stdin.write(b"".join(json.dumps(call).encode() + b"\n" for call in calls))
    server.stdin.flush()
    answers = [json.loads(server.stdout.readline()) for _ in calls]
    assert [(each["id"], each["result"]["structuredContent"]["result"]) for each in answers] == [(n, str(n)) for n in range(20)]


def test_no_process_stays_behind(server):
    import psutil

    exchange(server, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "run_code", "arguments": {"code": "1"}}})
    family = psutil.Process(server.pid).children(recursive=True)
    assert len(family) >= 2
    server.kill()       # no time to clean up: the kernel sees that its launcher is gone
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family):
        time.sleep(0.05)
    left = [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    assert not left


def test_a_shell_that_is_none_ends_it(tmp_path):
    done = subprocess.run([PROGRAM, "mcp", "--shell", "bash"], env=clean_environment(tmp_path), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=10)
    assert done.returncode == 2 and "auto, ipython or plain, not bash" in done.stderr and not done.stdout


def test_a_policy_that_is_not_there_ends_it(tmp_path):
    process = subprocess.Popen(
        [PROGRAM, "mcp", "--policy", tmp_path / "none.toml"],
        env=clean_environment(tmp_path) | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    with process:       # its input stays open: it ends by itself
        assert process.wait(10) == 1
        assert b"none.toml" in process.stderr.read()
