/*
 * fuzz_target - the one function of every target: libFuzzer's entry
 *
 * Returns 0 always; a wrong answer ends the process by assert().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
