#include "kernel/crypto/openssl_module.h"

#include "kernel/crypto/openssl.h"

__attribute__((visibility("default"))) const struct openssl safepyrun_openssl = {
    .mac_new = openssl_mac_new,
    .mac_free = openssl_mac_free,
    .mac_compute = openssl_mac_compute,
    .seal_letter = openssl_seal_letter,
};
