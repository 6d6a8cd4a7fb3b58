"""The two messages of our own (docs/messages.md): status and variables, told without running anything."""

import time

import pytest
from long_cells import holds_the_gil

DEFS = "ban_defs = false"


def variables(front, channel="shell"):
    reply = front.ask("safepyrun_variables_request", channel=channel)
    assert reply["status"] == "ok", reply
    return {entry.pop("name"): entry for entry in reply["variables"]}, reply["more"]


def test_values_sizes_and_types(start_kernel, shell):
    kernel = start_kernel(shell=shell)
    with kernel.frontend() as front:
        assert variables(front) == ({}, 0)
        front.run(
            "import array, math\n"
            "a = 1; b = 'x' * 500; c = [1, 2]; d = {'k': 1}; e = 2.5; f = None; g = 10 ** 5000; _h = 1\n"
            "i = array.array('d', [1, 2, 3]); j = {1, 2}; k = b'xy'; l = range(5)"
        )
        found, more = variables(front)
    assert more == 0
    assert found["a"] == {"type": "int", "value": "1"}
    assert found["b"] == {"type": "str", "length": 500, "value": repr("x" * 120) + "..."}
    assert found["c"] == {"type": "list", "length": 2}
    assert found["d"] == {"type": "dict", "length": 1}
    assert found["e"] == {"type": "float", "value": "2.5"}
    assert found["f"] == {"type": "NoneType", "value": "None"}
    assert found["g"] == {"type": "int", "value": "a number of 16610 bits"}
    assert found["j"] == {"type": "set", "length": 2}
    assert found["k"] == {"type": "bytes", "length": 2}
    assert found["l"] == {"type": "range"}
    assert found["math"] == {"type": "module", "value": "math"}
    assert "_h" not in found and "In" not in found and "get_ipython" not in found


def test_arrays_tell_their_shape(start_kernel):
    kernel = start_kernel()
    with kernel.frontend() as front:
        front.run("import numpy as np; m = np.zeros((3, 4)); o = np.array([None])")
        found, _ = variables(front)
    assert found["m"] == {"type": "ndarray", "shape": [3, 4]}
    assert found["o"] == {"type": "ndarray", "shape": [1]}


def test_nothing_of_the_users_runs(start_kernel, shell):
    kernel = start_kernel(shell=shell, policy=DEFS)
    with kernel.frontend() as front:
        front.run(
            "ran = []\n"
            "class Meta(type):\n"
            "    def __getattribute__(self, name): ran.append(name); return type.__getattribute__(self, name)\n"
            "class Hostile(list, metaclass=Meta):\n"
            "    def __repr__(self): ran.append('repr'); return 'x'\n"
            "    def __len__(self): ran.append('len'); return 1\n"
            "    def __buffer__(self, flags): ran.append('buffer'); return memoryview(b'x')\n"
            "    def __getattribute__(self, name): ran.append(name); return object.__getattribute__(self, name)\n"
            "    def __eq__(self, other): ran.append('eq'); return True\n"
            "class Text(str):\n"
            "    def __hash__(self): ran.append('hash'); return str.__hash__(self)\n"
            "    def __eq__(self, other): ran.append('eq'); return True\n"
            "    def __len__(self): ran.append('len'); return 1\n"
            "h = Hostile(); t = Text('t'); Hostile.__qualname__ = Text('Qual')\n"
            "globals()[Text('key')] = 1\n"
            "ran.clear()"
        )
        found, _ = variables(front)
        assert found["h"] == {"type": "Qual"} and found["t"] == {"type": "Text"}
        assert "key" not in found
        assert front.run("ran")[0].content["status"] == "ok"
        assert front.run("assert ran == [], ran")[0].content["status"] == "ok"


def test_many_are_counted(start_kernel):
    kernel = start_kernel()
    with kernel.frontend() as front:
        front.run("globals().update({f'v{i}': i for i in range(1200)})")
        found, more = variables(front)
    assert len(found) == 1000 and more == 200


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_status(start_kernel, channel):
    kernel = start_kernel()
    with kernel.frontend() as front:
        front.run("1")
        status = front.ask("safepyrun_status_request", channel=channel)
        assert status["state"] == "idle" and status["execution_count"] == 1 and status["waiting"] == 0
        assert status["guard_pid"] == kernel.guard().pid


def test_status_while_a_cell_holds_the_interpreter(start_kernel):
    kernel = start_kernel()
    with kernel.frontend() as front:
        front.run("1")
        running = front.execute(holds_the_gil(1))
        front.execute("2")
        time.sleep(0.3)
        status = front.ask("safepyrun_status_request", channel="control")
        assert status["state"] == "busy" and status["waiting"] == 1 and status["running_seconds"] > 0.1
        front.reply(running, timeout=60)
