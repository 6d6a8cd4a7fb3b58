/*
 * safepyrun policy: is this file right, what is in force, which keys are there
 */
#include "kernel/commands/command.h"

#include "guard/policy/policy.h"
#include "kernel/commands/policy_question.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: safepyrun policy check FILE\n"
    "       safepyrun policy show [--policy FILE] [--json]\n"
    "       safepyrun policy keys [--man]\n"
    "\n"
    "  check  is this policy file right? Says file, line and key of all that is not; exit status 1\n"
    "  show   what a kernel started here lets cells do, and which file each value comes from\n"
    "  keys   what may stand in a policy file\n";

static int complain(const char *problem, const char *subject)
{
    fprintf(stderr, "safepyrun policy: %s%s\n\n%s", problem, subject, usage);
    return 2;
}

static int check(int argc, char **argv)
{
    int status;

    if (argc != 2)
        return complain("check needs one FILE", "");
    status = policy_question_check(argv[1]);
    if (status == 0)
        printf("%s: right\n", argv[1]);
    return status;
}

static int show(int argc, char **argv)
{
    const char *question = "--show-policy";
    const char *file = NULL;
    struct policy_sources sources;
    int status;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            question = "--show-policy-json";
        else if (strncmp(argv[i], "--policy=", 9) == 0)
            file = argv[i] + 9;
        else if (strcmp(argv[i], "--policy") == 0 && i + 1 < argc)
            file = argv[++i];
        else if (strcmp(argv[i], "--policy") == 0)
            return complain("--policy needs a FILE", "");
        else
            return complain("show does not know ", argv[i]);
    }
    policy_sources_read(file, &sources);
    status = policy_question_ask(question, &sources);
    policy_sources_finish(&sources);
    return status;
}

/* What troff would take for its own: a backslash, a hyphen that is meant as one. */
static void print_man_text(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
}

/* Part of docs/man/safepyrun-policy.5.in. */
static void print_man_row(const struct policy_key *row)
{
    fputs(".TP\n.B ", stdout);
    print_man_text(row->name);
    putchar('\n');
    print_man_text(row->meaning);
    fputs(".\nTakes ", stdout);
    print_man_text(row->accepts);
    fputs("; without it: ", stdout);
    print_man_text(row->otherwise);
    fputs(".\n", stdout);
}

/* Markdown, so that the same table stands in docs/policy.md; or a part of the man page. */
static int keys(int argc, char **argv)
{
    size_t count;
    const struct policy_key *rows = policy_keys(&count);
    bool for_man = argc == 2 && strcmp(argv[1], "--man") == 0;

    if (argc != 1 && !for_man)
        return complain("keys takes no ", argv[1]);
    for (size_t i = 0; for_man && i < count; i++)
        print_man_row(&rows[i]);
    if (for_man)
        return 0;
    printf("| key | takes | without it | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++)
        printf("| `%s` | %s | %s | %s |\n", rows[i].name, rows[i].accepts, rows[i].otherwise,
               rows[i].meaning);
    return 0;
}

static int run(int argc, char **argv)
{
    static const struct {
        const char *word;
        int (*run)(int argc, char **argv);
    } words[] = {{"check", check}, {"show", show}, {"keys", keys}};

    if (argc > 1 && (strcmp(argv[argc - 1], "--help") == 0 || strcmp(argv[argc - 1], "-h") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    for (size_t i = 0; argc > 1 && i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(argv[1], words[i].word) == 0)
            return words[i].run(argc - 1, argv + 1);
    return argc > 1 ? complain("there is no ", argv[1]) : complain("what about it?", "");
}

const struct command policy_command = {"policy", "what cells may do: check a file, show what is in force, list the keys", run};
