# guard/policy: keys, environment variables, reading, imports; kernel/config: where policies come from.
safepyrun_unit_test(test_policy_keys policy)
safepyrun_unit_test(test_appeal policy)
safepyrun_unit_test(test_env_names policy)
safepyrun_unit_test(test_read_rules policy)
safepyrun_unit_test(test_import_rules policy)
safepyrun_unit_test(test_policy_line policy)
safepyrun_unit_test(test_policy_sources config)
