# kernel/records, kernel/commands, and the figures of kernel/supervisor.
safepyrun_unit_test(test_history records PkgConfig::SQLITE)
safepyrun_unit_test(test_audit_log records)
safepyrun_unit_test(test_usage supervisor)
safepyrun_unit_test(test_proc supervisor)
safepyrun_unit_test(test_keeper supervisor)
safepyrun_unit_test(test_control_group supervisor)
safepyrun_unit_test(test_run_result commands)
safepyrun_unit_test(test_install commands)
target_compile_definitions(test_install PRIVATE
  KERNELSPEC_FOLDER="${PROJECT_SOURCE_DIR}/kernelspec/safepyrun"
  SAFEPYRUN_PYTHON="${Python3_EXECUTABLE}")
