#include "guard/policy/env_names.h"

#include <ctype.h>
#include <string.h>

/* Compared with each word of a name; "_" and digits part words. TOKENIZERS_PARALLELISM holds no
 * token. */
static const char *const words[] = {
    "KEY",        "APIKEY", "AUTH",     "COOKIE",     "COOKIES",     "DSN",   "PASS",
    "PASSPHRASE", "PASSWD", "PASSWORD", "PAT",        "PIN",         "PWD",   "SECRET",
    "SECRETS",    "TOKEN",  "TOKENS",   "CREDENTIAL", "CREDENTIALS", "CREDS", NULL};
/* Also as the end of a word: GITHUBTOKEN, PGPASSWORD, MYSECRET. */
static const char *const endings[] = {"TOKEN",  "SECRET",      "PASSWORD", "PASSWD", "PASSPHRASE",
                                      "APIKEY", "CREDENTIALS", "OAUTH",    NULL};
/* Names that no word betrays. */
static const char *const known[] = {"GPG_AGENT_INFO", "KRB5CCNAME",   "KUBECONFIG",
                                    "NETRC",          "PGPASSFILE",   "XAUTHORITY",
                                    "VAULT_ADDR",     "DATABASE_URL", NULL};
/* Names that hold such a word and no secret. */
static const char *const harmless[] = {"PWD", "OLDPWD", NULL};

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcasecmp(name, *names) == 0)
            return true;
    return false;
}

static bool word_is_secret(const char *word, size_t size)
{
    for (size_t i = 0; words[i] != NULL; i++)
        if (strlen(words[i]) == size && strncasecmp(word, words[i], size) == 0)
            return true;
    for (size_t i = 0; endings[i] != NULL; i++) {
        size_t length = strlen(endings[i]);

        if (size > length && strncasecmp(word + size - length, endings[i], length) == 0)
            return true;
    }
    return false;
}

static bool name_is_secret(const char *name)
{
    if (is_one_of(name, harmless))
        return false;
    if (is_one_of(name, known))
        return true;
    while (*name != '\0') {
        size_t size = 0;

        while (isalpha((unsigned char)name[size]))
            size++;
        if (size > 0 && word_is_secret(name, size))
            return true;
        name += size > 0 ? size : 1;
    }
    return false;
}

/* "scheme://user:password@host": proxies, databases, package indexes. */
static bool value_is_secret(const char *value)
{
    const char *at = value;

    while ((at = strstr(at, "://")) != NULL) {
        size_t size;

        at += 3;
        size = strcspn(at, "/@ ");
        if (at[size] == '@' && memchr(at, ':', size) != NULL)
            return true;
    }
    return false;
}

bool env_names_look_secret(const char *name, const char *value)
{
    return name_is_secret(name) || value_is_secret(value);
}

/* "AWS_*" means all that begin so. */
static bool matches(const char *pattern, const char *name)
{
    size_t size = strlen(pattern);

    if (size > 0 && pattern[size - 1] == '*')
        return strncmp(pattern, name, size - 1) == 0;
    return strcmp(pattern, name) == 0;
}

static bool is_listed(const struct string_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (matches(list->items[i], name))
            return true;
    return false;
}

bool env_names_hide(const struct policy *policy, const char *name, const char *value)
{
    if (is_listed(&policy->env_hide, name))
        return true;
    if (policy->preset == POLICY_OPEN || is_listed(&policy->env_pass, name))
        return false;
    return env_names_look_secret(name, value);
}
