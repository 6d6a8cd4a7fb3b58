#include "kernel/supervisor/templates.h"

#include "guard/link/buffer.h"
#include "guard/link/warm_modules.h"
#include "kernel/config/installation.h"
#include "kernel/config/runtime_folder.h"
#include "kernel/records/log.h"
#include "kernel/supervisor/template_start.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

enum {
    START_MS = 1500, /* after READY: the first cell should not share the processor with it */
    NOTE_BYTES_MAX = 16 * 1024,
    USED_DAYS = 30,
};

/* ---- notes: small files, replaced as a whole --------------------------------------------------- */

static char *read_note(const char *path)
{
    cleanup_close int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    cleanup_free char *text = xcalloc(1, NOTE_BYTES_MAX + 1);
    ssize_t size = file >= 0 ? read(file, text, NOTE_BYTES_MAX) : -1;

    return size >= 0 ? steal(text) : NULL;
}

static bool is_note(const char *path, const struct buffer *text)
{
    cleanup_free char *found = read_note(path);

    return found != NULL && bytes_equal_string(buffer_bytes(text), found);
}

static void write_note(const char *path, const struct buffer *text)
{
    cleanup_free char *temporary = xasprintf("%s.%d", path, (int)getpid());
    cleanup_close int file = -1;
    bool written;

    if (is_note(path, text))
        return;
    file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    written = file >= 0 && write(file, text->data, text->size) == (ssize_t)text->size;

    if (!written || rename(temporary, path) < 0)
        unlink(temporary);
}

/* ---- what was used ----------------------------------------------------------------------------- */

/* "name day" in each line. */
static uint32_t recent_of(const char *text, long today)
{
    uint32_t bits = 0;
    char name[64];
    long day;
    int length;

    while (sscanf(text, "%63s %ld\n%n", name, &day, &length) == 2) {
        if (day <= today && day >= today - USED_DAYS)
            bits |= warm_modules_bit(name, strlen(name));
        text += length;
    }
    return bits;
}

static long today(void)
{
    return (long)(time(NULL) / 86400);
}

static uint32_t read_used(const struct templates *templates)
{
    cleanup_free char *text = read_note(templates->used);

    return text != NULL ? recent_of(text, today()) : 0;
}

/* All that are recent get this day: a library is forgotten when none of the kernels has used any for a month. */
static void write_used(const struct templates *templates)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;

    for (uint32_t bit = 1; bit != 0; bit <<= 1) {
        cleanup_buffer struct buffer name = BUFFER_NONE;

        if ((templates->recent & bit) == 0)
            continue;
        warm_modules_write(bit, &name);
        buffer_append(&text, buffer_bytes(&name));
        buffer_append_format(&text, " %ld\n", today());
    }
    write_note(templates->used, &text);
}

/* ---- which ------------------------------------------------------------------------------------- */

static char *imports_of(const struct templates *templates)
{
    cleanup_buffer struct buffer names = BUFFER_NONE;

    if (templates->imports != NULL)
        return xstrdup(templates->imports);
    warm_modules_write(templates->recent, &names);
    return buffer_steal_string(&names);
}

struct chosen {
    struct template_kind_of kind;
    char *program;
    char *package;
    char *imports;
    char *main_file; /* NULL: safepyrun-guard */
};

static void chosen_finish(struct chosen *chosen)
{
    free(chosen->program);
    free(chosen->package);
    free(chosen->imports);
    free(chosen->main_file);
}

static void choose(const struct templates *templates, struct chosen *ret_chosen)
{
    bool embeds = installation_embeds(templates->python);

    *ret_chosen = (struct chosen){
        .program = embeds ? installation_file("safepyrun-guard") : xstrdup(templates->python),
        .package = installation_package_folder(),
        .imports = imports_of(templates),
        .main_file = embeds ? NULL : installation_file("main.py"),
    };
    ret_chosen->kind = (struct template_kind_of){
        .folder = templates->folder,
        .program = ret_chosen->program,
        .python = templates->python,
        .package = ret_chosen->package,
        .shell = templates->shell,
        .imports = ret_chosen->imports,
    };
}

/* What lies in the folders of PYTHONPATH may shadow installed packages, and cells may write there. */
static bool is_possible(const struct templates *templates)
{
    const char *path = getenv("PYTHONPATH");

    return templates->folder != NULL && (path == NULL || path[0] == '\0');
}

char *templates_socket(const struct templates *templates)
{
    struct chosen chosen;
    char *path;

    if (!templates->wanted || !is_possible(templates))
        return NULL;
    choose(templates, &chosen);
    path = template_key_path(&chosen.kind);
    chosen_finish(&chosen);
    return path;
}

static int start(const struct templates *templates, int idle_seconds, bool *ret_is_new)
{
    struct chosen chosen;
    cleanup_free char *path = NULL;
    cleanup_free char *keeper = installation_file("safepyrun-keeper");
    const char *before[8] = {NULL};
    int count = 0;
    int result;

    choose(templates, &chosen);
    path = template_key_path(&chosen.kind);
    if (chosen.main_file != NULL) {
        for (; installation_main_options[count] != NULL; count++)
            before[count] = installation_main_options[count];
        before[count] = chosen.main_file;
    }
    result = template_start(&(struct template_start){.kind = chosen.kind,
                                                     .path = path,
                                                     .keeper = keeper,
                                                     .before = before,
                                                     .idle_seconds = idle_seconds},
                            ret_is_new);
    chosen_finish(&chosen);
    return result;
}

int templates_start(struct templates *templates, const char *imports, int idle_seconds, bool *ret_is_new)
{
    if (!is_possible(templates))
        return -ENOTSUP;
    if (imports != NULL) {
        free(templates->imports);
        templates->imports = xstrdup(imports);
    }
    templates->wanted = true;
    return start(templates, idle_seconds, ret_is_new);
}

static int on_start(void *context)
{
    struct templates *templates = context;
    bool is_new = false;
    int result = templates->wanted && is_possible(templates) ? start(templates, 0, &is_new) : 0;

    if (result < 0)
        log_warning("no template can be started: %s", strerror(-result));
    if (is_new)
        log_info("a template is started for the next kernels");
    return 0;
}

/* ---- notes of a policy ------------------------------------------------------------------------- */

/* "1 numpy,pandas" or "1 *": what was used. */
static void read_wishes(struct templates *templates)
{
    cleanup_free char *text = read_note(templates->note);
    char *end;

    if (text == NULL || strncmp(text, "1 ", 2) != 0)
        return;
    end = strchr(text, '\n');
    if (end == NULL)
        return;
    *end = '\0';
    templates->wanted = true;
    if (strcmp(text + 2, "*") != 0)
        templates->imports = xstrdup(text + 2);
}

void templates_take_wishes(struct templates *templates, bool wanted, struct bytes imports)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;

    if (templates->folder == NULL)
        return;
    templates->wanted = wanted;
    free(steal(templates->imports));
    if (!wanted) {
        unlink(templates->note);
        return;
    }
    buffer_append_string(&text, "1 ");
    if (imports.data != NULL) {
        templates->imports = xstrndup(imports.data, imports.size);
        buffer_append(&text, imports);
    } else {
        buffer_append_char(&text, '*');
    }
    buffer_append_char(&text, '\n');
    write_note(templates->note, &text);
    loop_timer_start(&templates->start_timer, START_MS);
}

void templates_take_imported(struct templates *templates, struct bytes names)
{
    uint32_t before = templates->recent;

    if (templates->folder == NULL || !templates->wanted)
        return;
    templates->recent = read_used(templates) | before | warm_modules_read(names);
    write_used(templates);
    if (templates->recent != before && templates->imports == NULL)
        loop_timer_start(&templates->start_timer, START_MS);
}

static char *digest_of_files(const struct templates_options *options)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;
    struct bytes parts[POLICY_SOURCES_MAX * POLICY_SOURCE_PARTS];
    size_t count = 0;

    if (options->policy_files != NULL)
        count = policy_sources_parts(options->policy_files, parts);
    for (size_t i = 0; i < count; i++) {
        if (i % POLICY_SOURCE_PARTS == POLICY_SOURCE_PATH) /* wherever it lies, it wants the same */
            continue;
        buffer_append_format(&text, "%zu ", parts[i].size);
        buffer_append(&text, parts[i]);
    }
    buffer_append_string(&text, options->shell);
    return template_key_digest(text.data, text.size);
}

void templates_init(struct templates *templates, struct loop *loop, const struct templates_options *options)
{
    cleanup_free char *files = digest_of_files(options);
    cleanup_free char *python = NULL;

    *templates = (struct templates){
        .loop = loop,
        .folder = runtime_folder(),
        .python = installation_python_for(options->python),
        .shell = xstrdup(options->shell),
        .start_timer = {.callback = on_start, .context = templates},
    };
    if (loop != NULL)
        loop_add_timer(loop, &templates->start_timer);
    if (templates->folder == NULL)
        return;
    python = template_key_digest(templates->python, strlen(templates->python));
    templates->note = xasprintf("%s/%s.policy", templates->folder, files);
    templates->used = xasprintf("%s/%s.used", templates->folder, python);
    templates->recent = read_used(templates);
    read_wishes(templates);
}

void templates_finish(struct templates *templates)
{
    if (templates->loop != NULL)
        loop_remove_timer(templates->loop, &templates->start_timer);
    free(steal(templates->folder));
    free(steal(templates->python));
    free(steal(templates->shell));
    free(steal(templates->note));
    free(steal(templates->used));
    free(steal(templates->imports));
}
