"""outputs = "passive": what cells show cannot run in the browser of who looks at it, nor fetch anything."""

import pytest
from frontend import labels, only

BUNDLE = {"text/plain": "shown", "text/html": "<script>1</script>", "application/javascript": "1", "image/svg+xml": "<svg/>",
          "text/markdown": "![](http://x/)", "image/png": "aGk=", "application/json": {"text/html": "data"},
          "application/vnd.plotly.v1+json": {}}
PASSIVE = {"text/plain": "shown", "image/png": "aGk=", "application/json": {"text/html": "data"}}


@pytest.fixture(scope="module")
def policy():
    return 'ban_defs = false\noutputs = "passive"\n'


def test_displays_and_results(front):
    code = f"bundle = {BUNDLE!r}\nThing = type('Thing', (), {{'_repr_mimebundle_': lambda self, **unused: bundle}})\n"
    _, outputs = front.run(code + "display(Thing())\nThing()")
    assert only(outputs, "display_data").content["data"] == PASSIVE
    assert only(outputs, "execute_result").content["data"] == PASSIVE
    reply, _ = front.run("1", user_expressions={"thing": "Thing()"})
    assert reply.content["user_expressions"]["thing"]["data"] == PASSIVE


def test_refusals_are_told_as_text(front):
    _, outputs = front.run("open('/nowhere/x', 'w')")
    data = only(outputs, "display_data").content["data"]
    assert "Refused" in data["text/plain"] and "text/html" not in data
    assert data["application/vnd.safepyrun.refusal+json"]["rule"] == "ok_dests"


def test_no_comms(front):
    _, outputs = front.run("from comm import create_comm\ncreate_comm(target_name='x', data={}).send({})\n1")
    assert labels(outputs) == ["execute_result"]
