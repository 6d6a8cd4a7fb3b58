"""history_request: tail, range and search, with inputs and outputs, over sessions and restarts."""

import pytest


@pytest.fixture(scope="module")
def kernel(kernel):
    """One kernel with a known history."""
    with kernel.frontend() as front:
        for code in ("first = 1", "first + 1", "print('quiet')", "first + 1", "'ü' * 2"):
            front.run(code)
        front.run("unstored", store_history=False)
        front.run("also_unstored", silent=True)
    return kernel


def ask(front, **content):
    reply = front.ask("history_request", {"raw": True, "output": False, **content})
    assert reply["status"] == "ok"
    return reply["history"]


def test_tail(front):
    history = ask(front, hist_access_type="tail", n=2)
    assert [entry[2] for entry in history] == ["first + 1", "'ü' * 2"]
    assert [entry[1] for entry in history] == [4, 5]


def test_tail_with_outputs(front):
    history = ask(front, hist_access_type="tail", n=4, output=True)
    assert [entry[2] for entry in history] == [
        ["first + 1", "2"], ["print('quiet')", None], ["first + 1", "2"], ["'ü' * 2", "'üü'"]]


def test_range_of_this_session(front):
    history = ask(front, hist_access_type="range", session=0, start=1, stop=3)
    assert [(line, code) for _, line, code in history] == [(1, "first = 1"), (2, "first + 1")]


def test_range_without_a_stop(front):
    assert len(ask(front, hist_access_type="range", session=0, start=1)) == 5


def test_search(front):
    assert len(ask(front, hist_access_type="search", pattern="first*")) == 3
    assert [entry[2] for entry in ask(front, hist_access_type="search", pattern="*quiet*")] == ["print('quiet')"]


def test_search_unique_and_limited(front):
    assert len(ask(front, hist_access_type="search", pattern="first + 1", unique=True)) == 1
    assert len(ask(front, hist_access_type="search", pattern="*", n=2)) == 2


def test_pattern_is_data(front):
    assert ask(front, hist_access_type="search", pattern="%' OR 1=1 --") == []


def test_history_outlives_the_kernel(start_kernel, shell):
    first = start_kernel(shell=shell)
    with first.frontend() as front:
        front.run("remembered = 1")
        front.send("control", "shutdown_request", {"restart": False})
        first.wait()
    second = start_kernel(shell=shell, environment={"HOME": str(first.home)})
    with second.frontend() as front:
        assert ask(front, hist_access_type="search", pattern="remembered*")[0][2] == "remembered = 1"
        assert ask(front, hist_access_type="range", session=-1, start=1, stop=2)[0][2] == "remembered = 1"


@pytest.mark.parametrize("ending", ["", "-wal", "-journal"])
def test_a_session_in_the_home_folder_cannot_have_it(start_kernel, shell, ending):
    """What the next kernel process, which nobody guards, believes; and what other sessions have run."""
    kernel = start_kernel(shell=shell)
    kernel.frontend().run("1")
    kernel.stop()
    again = start_kernel(shell=shell, environment={"HOME": str(kernel.home)}, arguments=("--write-root", kernel.home)).frontend()
    path = f"~/.local/share/safepyrun/history.sqlite{ending}"
    for code in (f"import os; open(os.path.expanduser('{path}'), 'wb')", f"import os; open(os.path.expanduser('{path}'))"):
        assert again.run(code)[0].content["ename"] == "PermissionError"
    assert again.run("import os; open(os.path.expanduser('~/other'), 'wb').close()")[0].content["status"] == "ok"


def test_unknown_sizes(front):
    assert ask(front, hist_access_type="tail", n=0) == []
    assert len(ask(front, hist_access_type="tail", n=10**9)) == 5
