/* What each preset fills in. A list ends with NULL. */
#include "guard/policy/policy.h"

#include <string.h>

struct preset_values {
    const char *name;
    bool guards_writes;
    bool allow_mode;
    bool ban_defs;
    const char *const *ok_dests;
    const char *const *ban_imports;
    const char *const *allowed_imports;
    const char *const *allowed_builtins;
    const char *const *deny_read;
    const char *const *protect;
};

static const char *const none[] = {NULL};
static const char *const here[] = {".", NULL};

/* safepyrun and fastaudit are banned with socket and importlib: their mk_audit and allow() belong
   to hosts, a cell that imports them wants to change its own guard. */
#define BANNED_EVERYWHERE "socket", "importlib", "safepyrun", "fastaudit"
static const char *const banned[] = {BANNED_EVERYWHERE, NULL};
static const char *const banned_in_strict[] = {BANNED_EVERYWHERE,
                                               "subprocess",
                                               "multiprocessing",
                                               "ctypes",
                                               "_ctypes",
                                               "cffi",
                                               "pty",
                                               "http",
                                               "urllib.request",
                                               "ftplib",
                                               "smtplib",
                                               "webbrowser",
                                               "signal",
                                               NULL};

static const char *const protected_names[] = {".git",     ".hg",     ".venv", ".safepyrun.toml",
                                              ".jupyter", ".vscode", NULL};

/* Where programs of developers keep keys, tokens and passwords. */
static const char *const secrets[] = {"~/.ssh",
                                      "~/.gnupg",
                                      "~/.aws",
                                      "~/.azure",
                                      "~/.config/gcloud",
                                      "~/.boto",
                                      "~/.oci",
                                      "~/.kube",
                                      "~/.docker/config.json",
                                      "~/.config/containers/auth.json",
                                      "~/.netrc",
                                      "~/.pypirc",
                                      "~/.config/pip",
                                      "~/.pip",
                                      "~/.npmrc",
                                      "~/.yarnrc.yml",
                                      "~/.git-credentials",
                                      "~/.config/git/credentials",
                                      "~/.config/gh",
                                      "~/.config/hub",
                                      "~/.config/glab-cli",
                                      "~/.cargo/credentials",
                                      "~/.cargo/credentials.toml",
                                      "~/.gem/credentials",
                                      "~/.m2/settings.xml",
                                      "~/.gradle/gradle.properties",
                                      "~/.terraform.d",
                                      "~/.vault-token",
                                      "~/.pgpass",
                                      "~/.my.cnf",
                                      "~/.kaggle",
                                      "~/.cache/huggingface/token",
                                      "~/.huggingface",
                                      "~/.config/rclone",
                                      "~/.s3cfg",
                                      "~/.databrickscfg",
                                      "~/.snowflake",
                                      "~/.password-store",
                                      "~/.local/share/keyrings",
                                      "~/.mozilla",
                                      "~/.config/google-chrome",
                                      "~/.config/chromium",
                                      "~/.Xauthority",
                                      "~/.bash_history",
                                      "~/.zsh_history",
                                      "~/.python_history",
                                      "~/.ipython/profile_default/history.sqlite",
                                      "~/.jupyter/jupyter_server_config.json",
                                      "~/.jupyter/jupyter_notebook_config.json",
                                      "/etc/shadow",
                                      "/etc/shadow-", /* what the last change has left behind */
                                      "/etc/gshadow",
                                      "/etc/gshadow-",
                                      NULL};

/* Modules that compute and describe; those that reach out, start or inspect are left to the user.
 */
static const char *const modules_for_computing[] = {"abc",
                                                    "argparse",
                                                    "array",
                                                    "ast",
                                                    "asyncio",
                                                    "base64",
                                                    "binascii",
                                                    "bisect",
                                                    "calendar",
                                                    "cmath",
                                                    "collections",
                                                    "colorsys",
                                                    "concurrent.futures",
                                                    "contextlib",
                                                    "copy",
                                                    "csv",
                                                    "dataclasses",
                                                    "datetime",
                                                    "decimal",
                                                    "difflib",
                                                    "enum",
                                                    "fnmatch",
                                                    "fractions",
                                                    "functools",
                                                    "glob",
                                                    "graphlib",
                                                    "hashlib",
                                                    "heapq",
                                                    "hmac",
                                                    "html",
                                                    "io",
                                                    "itertools",
                                                    "json",
                                                    "keyword",
                                                    "locale",
                                                    "logging",
                                                    "math",
                                                    "mimetypes",
                                                    "numbers",
                                                    "operator",
                                                    "pathlib",
                                                    "pprint",
                                                    "queue",
                                                    "random",
                                                    "re",
                                                    "reprlib",
                                                    "secrets",
                                                    "sqlite3",
                                                    "statistics",
                                                    "string",
                                                    "struct",
                                                    "textwrap",
                                                    "time",
                                                    "tomllib",
                                                    "traceback",
                                                    "types",
                                                    "typing",
                                                    "unicodedata",
                                                    "uuid",
                                                    "warnings",
                                                    "xml.etree",
                                                    "zlib",
                                                    "zoneinfo",
                                                    "IPython.display",
                                                    "altair",
                                                    "bokeh",
                                                    "dateutil",
                                                    "ipywidgets",
                                                    "matplotlib",
                                                    "networkx",
                                                    "numpy",
                                                    "openpyxl",
                                                    "pandas",
                                                    "patsy", /* statsmodels evaluates what it says */
                                                    "PIL",
                                                    "plotly",
                                                    "polars",
                                                    "pyarrow",
                                                    "pytz",
                                                    "scipy",
                                                    "seaborn",
                                                    "sklearn",
                                                    "statsmodels",
                                                    "sympy",
                                                    "tqdm",
                                                    NULL};

/* Exceptions and __name__ need no listing. Left out: what reaches names by text (getattr, vars,
   globals), what makes code, and input. */
static const char *const harmless_builtins[] = {"abs",
                                                "aiter",
                                                "all",
                                                "anext",
                                                "any",
                                                "ascii",
                                                "bin",
                                                "bool",
                                                "bytearray",
                                                "bytes",
                                                "callable",
                                                "chr",
                                                "classmethod",
                                                "complex",
                                                "dict",
                                                "dir",
                                                "divmod",
                                                "enumerate",
                                                "filter",
                                                "float",
                                                "format",
                                                "frozenset",
                                                "hasattr",
                                                "hash",
                                                "help",
                                                "hex",
                                                "id",
                                                "int",
                                                "isinstance",
                                                "issubclass",
                                                "iter",
                                                "len",
                                                "list",
                                                "map",
                                                "max",
                                                "memoryview",
                                                "min",
                                                "next",
                                                "object",
                                                "oct",
                                                "open",
                                                "ord",
                                                "pow",
                                                "print",
                                                "property",
                                                "range",
                                                "repr",
                                                "reversed",
                                                "round",
                                                "set",
                                                "slice",
                                                "sorted",
                                                "staticmethod",
                                                "str",
                                                "sum",
                                                "super",
                                                "tuple",
                                                "type",
                                                "zip",
                                                "Ellipsis",
                                                "NotImplemented",
                                                "display",
                                                "clear_output",
                                                "get_ipython",
                                                "exit",
                                                "quit",
                                                NULL};

enum { ASK_SECONDS = 120 };

static const struct preset_values presets[] = {
    [POLICY_READ_ONLY] = {.name = "read-only",
                          .guards_writes = true,
                          .ban_defs = true,
                          .ok_dests = none,
                          .ban_imports = banned,
                          .allowed_imports = none,
                          .allowed_builtins = none,
                          .deny_read = secrets,
                          .protect = protected_names},
    [POLICY_WORKSPACE] = {.name = "workspace",
                          .guards_writes = true,
                          .ban_defs = true,
                          .ok_dests = here,
                          .ban_imports = banned,
                          .allowed_imports = none,
                          .allowed_builtins = none,
                          .deny_read = secrets,
                          .protect = protected_names},
    [POLICY_STRICT] = {.name = "strict",
                       .guards_writes = true,
                       .allow_mode = true,
                       .ban_defs = true,
                       .ok_dests = none,
                       .ban_imports = banned_in_strict,
                       .allowed_imports = modules_for_computing,
                       .allowed_builtins = harmless_builtins,
                       .deny_read = secrets,
                       .protect = protected_names},
    [POLICY_OPEN] = {.name = "open", /* what the OS ring holds: the interpreter ring asks nothing */
                     .guards_writes = true,
                     .ok_dests = here,
                     .ban_imports = none,
                     .allowed_imports = none,
                     .allowed_builtins = none,
                     .deny_read = secrets,
                     .protect = protected_names},
};
#define PRESET_COUNT (sizeof(presets) / sizeof(presets[0]))

/* By preset; "open" guards nothing, but a crash costs one cell there as well. */
static const struct policy_limits usual_limits = {
#define POLICY_LIMIT(field, most, usual, strict) .field = usual,
#include "guard/policy/limits.def"
#undef POLICY_LIMIT
};
static const struct policy_limits strict_limits = {
#define POLICY_LIMIT(field, most, usual, strict) .field = strict,
#include "guard/policy/limits.def"
#undef POLICY_LIMIT
};

static struct policy_limits limits_of(enum policy_preset preset)
{
    if (preset == POLICY_OPEN)
        return (struct policy_limits){.grace_seconds = usual_limits.grace_seconds,
                                      .copies = usual_limits.copies,
                                      .copy_limit_mb = usual_limits.copy_limit_mb};
    return preset == POLICY_STRICT ? strict_limits : usual_limits;
}

int policy_preset_find(const char *name, enum policy_preset *ret_preset)
{
    for (size_t i = 0; i < PRESET_COUNT; i++) {
        if (strcmp(presets[i].name, name) == 0) {
            *ret_preset = (enum policy_preset)i;
            return 0;
        }
    }
    return POLICY_E_UNKNOWN_PRESET;
}

const char *policy_preset_name(enum policy_preset preset)
{
    return presets[preset].name;
}

static void fill(struct string_list *list, const char *const *texts)
{
    string_list_finish(list);
    for (size_t i = 0; texts[i] != NULL; i++)
        string_list_add(list, texts[i]);
}

int policy_set_preset(struct policy *policy, enum policy_preset preset)
{
    const struct preset_values *values = &presets[preset];

    if (policy->sealed)
        return POLICY_E_SEALED;
    policy->preset = preset;
    policy->guards_writes = values->guards_writes;
    policy->guards_reads = false;
    policy->allow_mode = values->allow_mode;
    policy->ban_defs = values->ban_defs;
    policy->limits = limits_of(preset);
    policy->asks = false;
    policy->passive_outputs = false;
    policy->templates = false;
    policy->learns_imports = true;
    policy->ask_seconds = ASK_SECONDS;
    fill(&policy->ok_dests, values->ok_dests);
    fill(&policy->ban_imports, values->ban_imports);
    fill(&policy->allowed_imports, values->allowed_imports);
    fill(&policy->allowed_builtins, values->allowed_builtins);
    fill(&policy->deny_read, values->deny_read);
    fill(&policy->protect, values->protect);
    fill(&policy->ban_builtins, none);
    fill(&policy->allowed_globals, none);
    fill(&policy->read_roots, none);
    fill(&policy->env_pass, none);
    fill(&policy->env_hide, none);
    fill(&policy->network_allow, none);
    fill(&policy->warm_imports, none);
    fill(&policy->setup_files, none);
    return 0;
}
