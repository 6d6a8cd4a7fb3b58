/* Starting programs: nobody may; what does the same in Python depends on the program. */
#include "guard/policy/verdict_parts.h"

#include <string.h>

#define WHY "cells may not start programs or processes"
#define OR_A_PERSON                                                                                \
    "a person can let it: on_deny = \"ask\" in the policy file (then write it as !command), or a function " \
    "registered with allow(f, outside=True)"
#define OR_A_TOOL "register a function that does it with allow()"
#define HINT(names, text) {names, text "; or " OR_A_PERSON, text ", or " OR_A_TOOL}

struct hint {
    const char *names; /* with a space on both sides of each; "": of any other */
    const char *in_kernel;
    const char *in_program; /* RunPython, mk_audit: no policy file, no set-up files */
};

/* clang-format off */
static const struct hint hints[] = {
    HINT(" ls dir find tree du stat ", "os.listdir(), glob and pathlib look for files, and so does %ls in IPython"),
    HINT(" cat head tail less more wc grep sed awk sort uniq cut ", "open() reads files, re and pandas work on text, and %cat in IPython shows a file"),
    HINT(" mkdir touch cp mv rm rmdir ln ", "os, shutil and pathlib do this below the write roots"),
    HINT(" tar unzip zip gzip gunzip ", "shutil.unpack_archive(), tarfile, zipfile and gzip do this below the write roots"),
    {" curl wget ", "libraries fetch data from hosts that network.allow lists; or " OR_A_PERSON, OR_A_TOOL},
    HINT(" pip pip3 pipx uv poetry conda mamba micromamba apt apt-get ", "install packages in a terminal"),
    HINT(" git ", "run git in a terminal"),
    HINT(" python python3 ", "write the code into a cell, or import it as a module"),
    HINT("", "use a Python library (for parallel work threads), or run it in a terminal"),
};
/* clang-format on */

/* "/usr/bin/git log" is git, and so is what a shell would begin with. */
static struct bytes first_word(struct bytes command)
{
    const char *at = command.data;
    const char *end = at != NULL ? at + command.size : at;
    const char *word;

    while (at < end && *at == ' ')
        at++;
    for (word = at; at < end && *at != ' ' && *at != '\n' && *at != '\t'; at++)
        if (*at == '/')
            word = at + 1;
    return (struct bytes){word, (size_t)(at - word)};
}

static const struct hint *find_hint(struct bytes word)
{
    const struct hint *hint = hints;

    for (; hint->names[0] != '\0'; hint++)
        for (const char *at = hint->names; word.size > 0 && at[1] != '\0'; at = strchr(at + 1, ' '))
            if (strcspn(at + 1, " ") == word.size && memcmp(at + 1, word.data, word.size) == 0)
                return hint;
    return hint;
}

/* "python -m pip" is pip, of which we know more than of a program that a module of any name is. */
static struct bytes module_word(struct bytes command)
{
    const char *flag = command.data != NULL ? memmem(command.data, command.size, " -m ", 4) : NULL;
    struct bytes module = BYTES_NONE;

    if (flag == NULL)
        return BYTES_NONE;
    module.data = flag + 4;
    module.size = command.size - (size_t)(flag + 4 - (const char *)command.data);
    return first_word(module);
}

enum verdict check_program(const struct policy *policy, const struct facts *facts,
                           struct denial *ret_denial)
{
    struct bytes word = first_word(facts->name);
    const struct hint *of_module = find_hint(module_word(facts->name));
    const struct hint *hint = of_module->names[0] != '\0' ? of_module : find_hint(word);

    verdict_name_subject(ret_denial, word); /* and no more: arguments may hold secrets */
    return verdict_deny(ret_denial, VERDICT_RING,
                        policy->of_program ? hint->in_program : hint->in_kernel, WHY);
}

const char *verdict_threads_remedy(const struct policy *policy)
{
    return policy->of_program ? "use asyncio.to_thread() or run_in_executor()"
                              : "use threads: ThreadPoolExecutor, multiprocessing.pool.ThreadPool, joblib";
}

enum verdict check_fork(const struct policy *policy, const struct facts *facts,
                        struct denial *ret_denial)
{
    (void)facts;
    return verdict_deny(ret_denial, VERDICT_RING, verdict_threads_remedy(policy), WHY);
}

enum verdict check_shared(const struct policy *policy, const struct facts *facts,
                          struct denial *ret_denial)
{
    (void)facts;
    return verdict_deny(ret_denial, VERDICT_RING, verdict_threads_remedy(policy),
                        "cells share nothing with other processes");
}
