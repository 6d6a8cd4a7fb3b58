#include "tests/support/cmocka_tests.h"

#include "guard/link/murmur.h"

/* Computed by ipykernel's murmur2_x86(); JupyterLab has the same function in JavaScript. */
static void names_of_cells_are_those_of_front_ends(void **state)
{
    static const struct {
        const char *text;
        uint32_t seed;
        uint32_t hash;
    } known[] = {
        {"", MURMUR_SEED, 0x2ec00d2c},
        {"a", MURMUR_SEED, 0x94d68d55},
        {"ab", MURMUR_SEED, 0xf5ea5304},
        {"abc", MURMUR_SEED, 0xe8f30a9a},
        {"abcd", MURMUR_SEED, 0xabe80105},
        {"print('\xc3\xa9')\n", MURMUR_SEED, 0x64109421},
        {"x = 1\ny = 2", 0xc70f6907, 0xbcef3490},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        assert_int_equal(murmur2(bytes_of_string(known[i].text), known[i].seed), known[i].hash);
}

RUN(cmocka_unit_test(names_of_cells_are_those_of_front_ends))
