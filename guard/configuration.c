#include "guard/configuration.h"

#include <string.h>

enum { FIRST_FILE = 2, FILE_PARTS = 4, FILES_MAX = 8 };

static char *text_of(struct bytes part)
{
    return xstrndup(part.data != NULL ? part.data : "", part.size);
}

static void read_texts(const struct frame *frame, size_t count, struct policy_text texts[FILES_MAX])
{
    for (size_t i = 0; i < count; i++) {
        const struct bytes *part = &frame->parts[FIRST_FILE + i * FILE_PARTS];

        texts[i] = (struct policy_text){text_of(part[0]), text_of(part[1]), text_of(part[2]),
                                        text_of(part[3])};
    }
}

static void free_texts(size_t count, struct policy_text texts[FILES_MAX])
{
    for (size_t i = 0; i < count; i++) {
        free(texts[i].kind);
        free(texts[i].path);
        free(texts[i].text);
        free(texts[i].problem);
    }
}

int configuration_read(const struct frame *frame, struct configuration *ret_configuration,
                       char **ret_problem)
{
    size_t parts = frame->part_count - FIRST_FILE; /* the table of frames says: two at least */
    size_t count = parts / FILE_PARTS;
    struct policy_text texts[FILES_MAX];
    int outcome = POLICY_E_MALFORMED;

    *ret_configuration = (struct configuration){.shell = text_of(frame->parts[0])};
    /* Nothing said: the default of the kernel, never no policy. */
    if (frame->parts[1].size == 0)
        ret_configuration->policy = policy_new(POLICY_WORKSPACE);
    else if (policy_decode(frame->parts[1], &ret_configuration->policy) != 0)
        ret_configuration->policy = NULL;
    if (ret_configuration->policy == NULL || parts % FILE_PARTS != 0 || count > FILES_MAX) {
        *ret_problem = xstrdup("the policy that the kernel process sent cannot be read");
        return -1;
    }
    read_texts(frame, count, texts);
    outcome = policy_files_apply(ret_configuration->policy, texts, count,
                                 &ret_configuration->result, ret_problem);
    free_texts(count, texts);
    return outcome == 0 ? 0 : -1;
}

void configuration_finish(struct configuration *configuration)
{
    free(steal(configuration->shell));
    policy_free(steal(configuration->policy));
    policy_result_finish(&configuration->result);
}
