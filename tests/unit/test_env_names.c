#include "tests/support/cmocka_tests.h"

#include "guard/policy/env_names.h"

static void names_that_say_secret(void **state)
{
    static const char *const names[] = {"GITHUB_TOKEN",
                                        "token",
                                        "HF_TOKEN",
                                        "OPENAI_API_KEY",
                                        "AWS_SECRET_ACCESS_KEY",
                                        "DB_PASSWORD",
                                        "PGPASSWORD",
                                        "MYSQL_PWD",
                                        "SSH_AUTH_SOCK",
                                        "GOOGLE_APPLICATION_CREDENTIALS",
                                        "SENTRY_DSN",
                                        "SESSION_COOKIE",
                                        "NPM_AUTH",
                                        "STRIPE_KEY",
                                        "PRIVATE_KEY",
                                        "GH_PAT",
                                        "GITHUBTOKEN",
                                        "apikey",
                                        "JUPYTERHUB_API_TOKEN",
                                        "DATABASE_URL",
                                        "GPG_PASSPHRASE",
                                        "KEY2",
                                        "SECRET1",
                                        "KRB5CCNAME"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!env_names_look_secret(names[i], "x"))
            fail_msg("%s does not look like a secret", names[i]);
}

static void names_that_do_not(void **state)
{
    static const char *const names[] = {"PATH",
                                        "HOME",
                                        "PWD",
                                        "OLDPWD",
                                        "LANG",
                                        "TOKENIZERS_PARALLELISM",
                                        "GIT_AUTHOR_NAME",
                                        "KEYBOARD",
                                        "MONKEY",
                                        "SSL_CERT_FILE",
                                        "PYTHONPATH",
                                        "TERM",
                                        "OMP_NUM_THREADS",
                                        "MPLBACKEND",
                                        "COMPASS",
                                        "SECRETARY",
                                        "DISPLAY",
                                        "CONDA_PREFIX",
                                        "VIRTUAL_ENV",
                                        "TZ"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (env_names_look_secret(names[i], "x"))
            fail_msg("%s looks like a secret", names[i]);
}

static void a_password_in_a_url(void **state)
{
    (void)state;
    assert_true(env_names_look_secret("HTTPS_PROXY", "http://me:pw@proxy:8080"));
    assert_true(env_names_look_secret("X", "a=1 redis://:pw@host/0"));
    assert_false(env_names_look_secret("HTTPS_PROXY", "http://proxy:8080/a@b"));
    assert_false(env_names_look_secret("X", "ssh://me@host"));
}

static void the_policy_corrects_the_guess(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);

    (void)state;
    string_list_add(&policy->env_pass, "MY_TOKEN");
    string_list_add(&policy->env_pass, "CI_*");
    string_list_add(&policy->env_hide, "CI_JOB_TOKEN");
    string_list_add(&policy->env_hide, "SLURM_*");
    assert_false(env_names_hide(policy, "MY_TOKEN", "x"));
    assert_true(env_names_hide(policy, "MY_TOKEN_2", "x"));
    assert_false(env_names_hide(policy, "CI_API_KEY", "x"));
    assert_true(env_names_hide(policy, "CI_JOB_TOKEN", "x"));
    assert_true(env_names_hide(policy, "SLURM_JOB_ID", "1"));
    assert_false(env_names_hide(policy, "HOME", "/home/me"));
}

static void open_hides_only_what_it_is_told(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_OPEN);

    (void)state;
    assert_false(env_names_hide(policy, "MY_TOKEN", "x"));
    string_list_add(&policy->env_hide, "MY_TOKEN");
    assert_true(env_names_hide(policy, "MY_TOKEN", "x"));
}

RUN(cmocka_unit_test(names_that_say_secret), cmocka_unit_test(names_that_do_not),
    cmocka_unit_test(a_password_in_a_url), cmocka_unit_test(the_policy_corrects_the_guess),
    cmocka_unit_test(open_hides_only_what_it_is_told))
