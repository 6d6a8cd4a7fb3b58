"""Subshells as a front end makes and uses them (JEP 91)."""


def create(front):
    reply = front.ask("create_subshell_request", channel="control")
    assert reply["status"] == "ok", reply
    return reply["subshell_id"]


def delete(front, subshell):
    return front.ask("delete_subshell_request", {"subshell_id": subshell}, channel="control")


def listed(front):
    return front.ask("list_subshell_request", channel="control")["subshell_id"]


def send(front, code, subshell, **content):
    return front.send("shell", "execute_request", {"code": code, **content}, header={"subshell_id": subshell})


def run(front, code, subshell, **content):
    msg_id = send(front, code, subshell, **content)
    return front.reply(msg_id), front.outputs(msg_id)
