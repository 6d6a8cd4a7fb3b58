# kernel/: the wire format, the loop, the queue of outputs, the command line; and the link.
safepyrun_unit_test(test_buffer link)
safepyrun_unit_test(test_frame link)
safepyrun_unit_test(test_utf8 wire)
safepyrun_unit_test(test_json_text wire)
safepyrun_unit_test(test_signature wire)
safepyrun_unit_test(test_message wire)
safepyrun_unit_test(test_connection_file wire)
safepyrun_unit_test(test_loop loop)
safepyrun_unit_test(test_cells kernel)
safepyrun_unit_test(test_denials kernel)
safepyrun_unit_test(test_queue kernel)
safepyrun_unit_test(test_question_prompt kernel)
safepyrun_unit_test(test_comms kernel)
safepyrun_unit_test(test_options config)
safepyrun_unit_test(test_iopub channels)

# The map: who may include whom.
add_test(NAME include_arrows COMMAND ${PROJECT_SOURCE_DIR}/tests/unit/include_arrows.sh ${PROJECT_SOURCE_DIR})
