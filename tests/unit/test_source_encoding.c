/* Which sources the interpreter decodes by itself: what it would ask a codec for must never be missed. */
#include "guard/audit/source_encoding.h"
#include "tests/support/cmocka_tests.h"

static void what_the_interpreter_decodes_is_known(void **state)
{
    static const char *const sources[] = {
        "",
        "x = 1",
        "#",
        "# coding",
        "# coding: utf-8\n",
        "#!/usr/bin/python\n# -*- coding: UTF_8 -*-\n",
        "\xef\xbb\xbf# coding: utf-8\n",
        "# folder: big5\n", /* a word of six letters that is another */
        "# vim: set fileencoding=latin-1 :\n",
        "# coding: iso-8859-1-unix\r\n",
        "\f \t# coding=us-ascii\n",
        "# coding: \n",
        "x = open(y, encoding=z)\n",
        "x = 1\n\n# coding: big5\n",
        "x = 1\r\r# coding: big5\r",
        "'''\n'''\n# coding: big5\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        print_message("%s\n", sources[i]);
        assert_true(source_encoding_is_built_in(bytes_of_string(sources[i])));
    }
}

static void what_a_codec_decodes_is_known(void **state)
{
    static const char *const sources[] = {
        "# coding: big5",
        "# coding: big5\n",
        "# coding=cp1252",
        "#coding:\t rot13\n",
        "\n# coding: koi8-r\n",
        "\r\n# coding: koi8-r\r\n",
        "\r# coding: koi8-r",
        "#!/usr/bin/python\n# vim: fileencoding=utf-16x\n",
        "\xef\xbb\xbf# coding: big5\n",
        "\f\t # coding: iso-8859-15\n",
        "# coding: utf-8x\n",
        "# coding: latin-10\n",
        "# coding: utf-8 coding: big5\n",
        "# coding: a.name-that-is-longer-than-any-encoding-has\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        print_message("%s\n", sources[i]);
        assert_false(source_encoding_is_built_in(bytes_of_string(sources[i])));
    }
}

static void it_ends_where_the_source_ends(void **state)
{
    static const char text[] = "# coding: utf-8x";

    (void)state;
    assert_true(source_encoding_is_built_in((struct bytes){text, sizeof(text) - 2}));
}

RUN(cmocka_unit_test(what_the_interpreter_decodes_is_known), cmocka_unit_test(what_a_codec_decodes_is_known),
    cmocka_unit_test(it_ends_where_the_source_ends))
