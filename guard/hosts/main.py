"""What needs a Python that safepyrun-guard does not embed: python -P main.py --link-fd N, --script FILE, --containers WORDS."""

import os
import sys

#: what `safepyrun policy` asks; the numbers are policy_answer.h's enum policy_question
QUESTIONS = {"--check-policy": 0, "--show-policy": 1, "--show-policy-json": 2}


def own_folder():
    """Where the package is: beside this file, or around it in a wheel."""
    here = os.path.dirname(os.path.abspath(__file__))
    return os.path.dirname(here) if os.path.exists(os.path.join(here, "_guard.abi3.so")) else here


def check_module(folder):
    """What Python says of it otherwise is a riddle about circular imports."""
    package = os.path.join(folder, "safepyrun")
    if os.path.isdir(package) and not os.path.exists(os.path.join(package, "_guard.abi3.so")):
        sys.exit(f"{package}/_guard.abi3.so is missing; install safepyrun again")


def main(arguments):
    words = []
    if "--containers" in arguments:
        words = arguments[arguments.index("--containers") + 1:]
        arguments = [*arguments[:arguments.index("--containers")], "--containers", ""]
    questions = [QUESTIONS[argument] for argument in arguments if argument in QUESTIONS]
    pairs = [argument for argument in arguments if argument not in QUESTIONS]
    options = dict(zip(pairs[::2], pairs[1::2]))
    sys.path.insert(0, options.get("--glue") or own_folder())
    check_module(sys.path[0])
    from safepyrun import _guard
    if "--script" in options:
        from safepyrun import cli
    if "--containers" in options:
        from safepyrun._containers_cli import main as containers
    del sys.path[0]
    sys.argv = [options.get("--script", "")]
    if "--script" in options:
        sys.exit(cli(sys.argv[0]))
    if "--containers" in options:
        sys.exit(containers(words))
    if "--template-fd" in options:
        _guard.be_template(int(options["--template-fd"]), options["--template-path"], options["--template-shell"],
                           options["--template-imports"], int(options["--template-idle"]))
    link_fd = int(options["--link-fd"])
    if questions:
        sys.exit(_guard.answer_policy(link_fd, questions[0]))
    _guard.serve(link_fd)


main(sys.argv[1:])
