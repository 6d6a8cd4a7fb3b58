# The parts of tests/run: what each one runs and where it leaves its report.
#
# Sourced by tests/run after tools/setup.sh. A part is a function run_<part>; its reports are JUnit XML files
# $results/<part>*.xml, which count_results.py adds up: a part without a report has failed.

all_parts=(unit guard attacks isolation host conformance pythons integration suites notebooks clients cluster package containers figures asan)
test_packages=(libcmocka-dev chromium fonts-dejavu-core file)
venv=$project/.venv-tests
artefacts=$project/tests/artefacts
results=$artefacts/results

is_part()
{
    local part

    for part in "${all_parts[@]}"; do
        [ "$part" != "$1" ] || return 0
    done
    return 1
}

# True when the ordinary build is not needed.
needs_only_asan()
{
    [ "$*" = asan ]
}

# with_ctest NAME PRESET: TAP on standard output lets the cases be counted, not the programs.
with_ctest()
{
    (
        cd "$project"
        CMOCKA_MESSAGE_OUTPUT=TAP ctest --preset "$2" --output-junit "$results/$1.xml" \
            --test-output-size-passed 1000000 --test-output-size-failed 1000000
    )
}

# with_pytest NAME BUILD FOLDER [ARGUMENT...]: three tests at a time on two cores, as tests wait more than they work. Each has processes,
# ports and folders of its own.
with_pytest()
{
    local name=$1 build=$2 folder=$3
    shift 3
    (
        cd "$project/tests"
        SAFEPYRUN_BUILD=$project/build/$build "$venv/bin/python" -m pytest -q -ra -p no:cacheprovider -n 3 --dist worksteal \
            --junit-xml "$results/$name.xml" "$@" ${pytest_arguments[@]+"${pytest_arguments[@]}"} "$folder"
    )
}

run_unit()        { with_ctest unit dev; }
run_guard()       { with_pytest guard dev guard; }
run_attacks()
{
    with_pytest attacks dev attacks || true
    with_pytest attacks-mechanisms dev mechanisms
}
run_isolation()   { with_pytest isolation dev isolation; }
run_host()        { with_pytest host dev host; }
run_conformance() { with_pytest conformance dev conformance; }
# guard/ and conformance/ once more with the module in the newest other Python of this machine, where nothing is embedded;
# host/ and guard/test_versions.py are about all of them. SAFEPYRUN_PYTHONS, paths with ":" between: those instead.
run_pythons()
{
    local version path others found

    others=$("$venv/bin/python" "$project/tests/support/pythons.py")
    [ -n "${SAFEPYRUN_PYTHONS:-}" ] || others=$(tail -n 1 <<<"$others")
    found=$(echo "$others" | cut -d' ' -f1 | paste -sd' ')
    echo "other Pythons: ${found:-none}"
    if [ -z "$others" ]; then
        printf '<testsuites><testsuite name="pythons"><testcase name="others"><skipped message="%s"/></testcase>%s' \
            "this machine has no other Python from 3.11 on" "</testsuite></testsuites>" >"$results/pythons.xml"
        return
    fi
    while read -r version path; do
        system_python=$path make_venv "$project/.venv-tests-$version" "$project/tests/requirements-pythons.txt"
        venv=$project/.venv-tests-$version with_pytest "pythons-$version" dev guard -k "not embedded" conformance || true
    done <<<"$others"
}
run_integration() { with_pytest integration dev integration/wire -n 2; }    # some of it is about time
run_suites()
{
    local suite

    with_pytest suites dev integration/suites || true
    for suite in ipykernel nbclient; do     # at the same time: they wait for kernels
        SAFEPYRUN_BUILD=$project/build/dev "$venv/bin/python" "$project/tests/integration/suites/run_foreign.py" \
            "$suite" "$venv/sdists" "$results/suites-$suite.xml" \
            ${pytest_arguments[@]+"${pytest_arguments[@]}"} >"$results/suites-$suite.log" 2>&1 &
    done
    wait
    cat "$results"/suites-*.log
}
run_notebooks()   { with_pytest notebooks dev integration/notebooks; }
run_clients()     { with_pytest clients dev integration/clients -n 0; }     # a browser needs the machine
# Jupyter's distributed engines, in an environment on top of the other one. Hosts are network namespaces with an sshd each;
# where a service manager would start one for good, that package is not installed, and the hosts' tests are skipped.
run_cluster()
{
    [ -d /run/systemd/system ] || RUNLEVEL=1 need_packages iproute2 openssh-server
    lower_venv=$venv make_venv "$project/.venv-cluster" "$project/tests/requirements-cluster.txt"
    venv=$project/.venv-cluster with_pytest cluster dev integration/cluster --dist loadfile    # a file shares a gateway
}
run_package()     { with_pytest package dev integration/package -n 0; }     # one wheel for all of its tests
run_containers()  { with_pytest containers dev integration/containers -n 0; }   # its tests share one engine
run_figures()     { with_pytest figures dev bench; }

# A sanitizer's complaint ends the process that it is about, so the test at hand fails; its text goes to a file.
# Leaks are looked for in the unit tests only: an embedded interpreter keeps much until the process ends.
# A cell that dereferences NULL must die of its signal: that is what is tested.
# With the plain shell: IPython is Python on the same C, and costs seconds of start in each instrumented kernel.
run_asan()
{
    build asan
    with_ctest asan-unit asan || true
    export ASAN_OPTIONS=detect_leaks=0:handle_segv=0:log_path=$artefacts/asan UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    SAFEPYRUN_TEST_SHELLS=plain with_pytest asan-wire asan integration/wire -n 2 -m "not timing and not unsanitized"
    unset ASAN_OPTIONS UBSAN_OPTIONS
}
