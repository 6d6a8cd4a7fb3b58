# What notebooks/run and tests/run share: packages, build, virtual environment, kernelspec.
#
# Sourced, never run. Each function is idempotent: it looks first and does only what is missing, so that
# a second run is quick and a machine that is set up needs neither root nor a network.
# Needs $project: the top of the source tree.

system_python=/usr/bin/python3
build_packages=(build-essential cmake ninja-build pkg-config python3-dev python3-venv
                libzmq3-dev libjansson-dev libssl-dev libsqlite3-dev)

# One line per step, so that a reader of the output knows what a silence is about.
step()
{
    printf '\n==> %s\n' "$*"
}

fail()
{
    printf 'error: %s\n' "$*" >&2
    exit 1
}

as_root()
{
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "this needs root or sudo: $*"
    fi
}

is_installed()
{
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# need_packages NAME...: Debian packages, installed when missing.
need_packages()
{
    local missing=() name

    for name; do
        is_installed "$name" || missing+=("$name")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        echo "Debian packages: all $# are there"
        return
    fi
    step "Installing Debian packages: ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}" >/dev/null
}

# build PRESET [TARGET...]: configure once, then build what changed; everything without a target.
build()
{
    local preset=$1
    shift
    step "Building with the CMake preset '$preset' (build/$preset)"
    (
        cd "$project"
        cmake --preset "$preset" >/dev/null
        cmake --build --preset "$preset" ${1:+--target "$@"}
    )
}

# make_venv DIRECTORY REQUIREMENTS...: a virtual environment that holds exactly these pinned packages. With $lower_venv
# it stands on that one: nothing of it is installed again, and dependencies are not looked for.
make_venv()
{
    local directory=$1 lower=${lower_venv:-} files=() file
    shift

    if cat "$@" | cmp -s - "$directory/.requirements"; then
        echo "virtual environment: ${directory#"$project"/} is up to date"
        return
    fi
    step "Making the virtual environment ${directory#"$project"/} (about a minute)"
    for file; do
        files+=(-r "$file")
    done
    "$system_python" -m venv --clear "$directory"
    [ -z "$lower" ] || (cd "$lower"/lib/python3*/site-packages && pwd) >"$(echo "$directory"/lib/python3*/site-packages)/lower.pth"
    "$directory/bin/pip" install -q --disable-pip-version-check ${lower:+--no-deps} "${files[@]}"
    cat "$@" >"$directory/.requirements"        # last: a broken installation starts over
}

# install_kernel PRESET VENV [ARGUMENT...]: the kernelspec of the built kernel, into a virtual environment.
install_kernel()
{
    local preset=$1 venv=$2
    shift 2
    "$project/build/$preset/bin/safepyrun" install --prefix "$venv" --python "$venv/bin/python" "$@"
}
