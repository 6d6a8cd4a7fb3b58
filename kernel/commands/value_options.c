#include "kernel/commands/value_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct value_option *find(const struct value_option *known, const char *name)
{
    while (known->name != NULL && strcmp(known->name, name) != 0)
        known++;
    return known->name != NULL ? known : NULL;
}

int value_options_read(const char *command, const char *usage, const struct value_option *known,
                       int argc, char **argv)
{
    for (int i = 1; i < argc; i += 2) {
        const struct value_option *option = find(known, argv[i]);

        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(usage, stdout);
            return 0;
        }
        if (option == NULL || i + 1 == argc) {
            fprintf(stderr, "%s: %s %s\n\n%s", command, argv[i],
                    option == NULL ? "is not known" : "needs a value", usage);
            return 2;
        }
        *option->value = argv[i + 1];
    }
    return -1;
}

bool value_options_number(const char *text, long most, long *ret_number)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || number < 0 || number > most)
        return false;
    *ret_number = number;
    return true;
}
