# _testcapi writes files, runs threads and sub-interpreters, all without an event.
# host: module
import _testcapi
