"""`safepyrun containers`: what ContainerEngine has left running, and an end to it."""

import argparse
import sys

from safepyrun._containers import ContainerEngine, ContainerError


def _parser():
    parser = argparse.ArgumentParser(prog="safepyrun containers", description="the containers of safepyrun, and no others")
    parser.add_argument("--command", default="docker", help="docker or podman, with its first arguments (docker)")
    parser.add_argument("--context", help="a context of docker")
    parser.add_argument("--host", help="where the engine is, as DOCKER_HOST says it: ssh://user@host")
    words = parser.add_subparsers(dest="word", required=True, metavar="list|stop|kill|cleanup")
    words.add_parser("list", help="those that run; -a: all").add_argument("-a", "--all", action="store_true")
    words.add_parser("stop", help="let one end").add_argument("id", nargs="+")
    words.add_parser("kill", help="end one at once").add_argument("id", nargs="+")
    words.add_parser("cleanup", help="remove those that have ended, and images that nobody uses")
    return parser


def main(arguments):
    """Returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        engine = ContainerEngine(command=options.command.split(), docker_context=options.context, docker_host=options.host)
        engine.check()
        _do(engine, options)
    except (ContainerError, ValueError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


def _do(engine, options):
    if options.word == "list":
        for found in engine.list_containers(options.all):
            print(found.id, found.name, found.image, found.state, found.status, sep="\t")
    elif options.word == "cleanup":
        summary = engine.cleanup_stale()
        print(f"removed: {summary.removed_containers} containers, {summary.removed_images} images")
    else:
        for name in options.id:
            (engine.stop_container if options.word == "stop" else engine.kill_container)(name)
