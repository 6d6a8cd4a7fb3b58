# guard/policy: presets and their bytes, where paths lie, and each decision on facts; guard/audit: the table of events.
safepyrun_unit_test(test_policy policy)
safepyrun_unit_test(test_write_roots policy)
safepyrun_unit_test(test_verdict policy)
safepyrun_unit_test(test_events audit Python3::Python)
