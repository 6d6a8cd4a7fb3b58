# guard/policy: presets and their bytes, where paths lie, and each decision on facts; guard/audit: the table of events, who decodes a source; guard/python: where a walk ends.
safepyrun_unit_test(test_policy policy)
safepyrun_unit_test(test_write_roots policy)
safepyrun_unit_test(test_verdict policy)
safepyrun_unit_test(test_events audit Python3::Python)
safepyrun_unit_test(test_source_encoding audit Python3::Python)
safepyrun_unit_test(test_stack python Python3::Python)
