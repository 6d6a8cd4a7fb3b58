# cmake -DPROGRAM=… -DSOURCE=… -DTARGET=… -P policy_page.cmake: the template with the rows of `safepyrun policy keys --man`.
execute_process(COMMAND ${PROGRAM} policy keys --man OUTPUT_VARIABLE KEYS OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY)
configure_file(${SOURCE} ${TARGET} @ONLY)
