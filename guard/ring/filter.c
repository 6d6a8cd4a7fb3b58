#include "guard/ring/filter.h"
#include "guard/ring/filter_checks.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifndef OWN_ARCHITECTURE

int filter_make(const struct filter_settings *settings, struct filter_program *ret_program)
{
    (void)settings;
    (void)ret_program;
    return -ENOSYS;
}

#else

struct row {
    unsigned number;
    enum filter_class class;
};

static const struct row table[] = {
#define SYSCALL(name, class_name) {SYS_##name, FILTER_CLASS_##class_name},
#include "guard/ring/syscalls.def"
#undef SYSCALL
};
enum { ROWS = sizeof(table) / sizeof(table[0]) };

/* Neighbours with the same answer; the last one reaches to the end of all numbers. */
struct range {
    unsigned first;
    enum filter_class class;
};

#define RETURN_ALLOW SECCOMP_RET_ALLOW
#define RETURN_DENY (SECCOMP_RET_ERRNO | EPERM)
#define RETURN_ABSENT (SECCOMP_RET_ERRNO | ENOSYS)
#define RETURN_UNSUPPORTED (SECCOMP_RET_ERRNO | EOPNOTSUPP)
#define RETURN_SUCCESS SECCOMP_RET_ERRNO
#define RETURN_ASK SECCOMP_RET_USER_NOTIF

static uint32_t return_of(enum filter_answer answer)
{
    return answer == FILTER_ALLOW ? RETURN_ALLOW
           : answer == FILTER_ASK ? RETURN_ASK
                                  : RETURN_DENY;
}

/* What a class without checks answers. */
static uint32_t answer_of(enum filter_class class, const struct filter_settings *settings)
{
    switch (class) {
    case FILTER_CLASS_ALLOW:
        return RETURN_ALLOW;
    case FILTER_CLASS_ABSENT:
        return RETURN_ABSENT;
    case FILTER_CLASS_SIGNAL:
        return return_of(settings->signals);
    case FILTER_CLASS_METADATA:
        return return_of(settings->metadata);
    case FILTER_CLASS_CUT:
        return settings->cuts ? RETURN_ALLOW : RETURN_DENY;
    case FILTER_CLASS_ALLOCATE:
        return settings->allocates ? RETURN_ALLOW : RETURN_UNSUPPORTED;
    case FILTER_CLASS_SOCKET:
        return settings->network ? RETURN_ASK : RETURN_DENY;
    case FILTER_CLASS_CONNECT:
        return settings->network ? RETURN_SUCCESS : RETURN_DENY;
    default:
        return RETURN_DENY;
    }
}

/* ---- code ------------------------------------------------------------------------------------ */

static void emit(struct filter_program *program, uint16_t code, uint8_t when_true,
                 uint8_t when_false, uint32_t value)
{
    if (program->count < FILTER_MAX)
        program->code[program->count] = (struct sock_filter){code, when_true, when_false, value};
    program->count++;
}

static void emit_load(struct filter_program *program, size_t offset)
{
    emit(program, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void emit_return(struct filter_program *program, uint32_t answer)
{
    emit(program, BPF_RET | BPF_K, 0, 0, answer);
}

/* The lower half of an argument; both processors of the table keep it first. */
static size_t argument_at(unsigned argument)
{
    return offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t);
}

static void emit_zero(struct filter_program *program, unsigned argument)
{
    for (int half = 0; half < 2; half++) {
        emit_load(program, argument_at(argument) + (size_t)half * sizeof(uint32_t));
        emit(program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0);
        emit_return(program, RETURN_DENY);
    }
}

/* Falls through when one of the values is met. */
static void emit_one_of(struct filter_program *program, const struct filter_check *check)
{
    for (size_t i = 0; i < check->count; i++)
        emit(program, BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)(check->count - i), 0, check->values[i]);
    emit_return(program, RETURN_DENY);
}

static void emit_check(struct filter_program *program, const struct filter_check *check)
{
    if (check->kind == CHECK_ZERO) {
        emit_zero(program, check->argument);
        return;
    }
    emit_load(program, argument_at(check->argument));
    emit(program, BPF_ALU | BPF_AND | BPF_K, 0, 0, check->mask);
    if (check->kind == CHECK_ONE_OF) {
        emit_one_of(program, check);
    } else if (check->kind == CHECK_IF) {
        emit(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 3, check->values[0]);
        emit_load(program, argument_at(check->argument + 1));
        emit(program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, check->values[1]);
        emit_return(program, RETURN_DENY);
    } else {
        emit(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, check->values[0]);
        emit_return(program, RETURN_DENY);
    }
}

static bool opens(enum filter_class class)
{
    return class == FILTER_CLASS_CHECK_OPEN || class == FILTER_CLASS_CHECK_OPENAT;
}

static void emit_leaf(struct filter_program *program, enum filter_class class,
                      const struct filter_settings *settings)
{
    const struct filter_check *check = filter_checks_of(class);

    if (check == NULL) {
        emit_return(program, answer_of(class, settings));
        return;
    }
    for (; check->kind != CHECK_END && !(opens(class) && settings->cuts); check++)
        emit_check(program, check);
    emit_return(program, RETURN_ALLOW);
}

/* A search tree over the numbers. Its jumps may be longer than a condition's eight bits. */
static void emit_tree(struct filter_program *program, const struct range *ranges, size_t count,
                      const struct filter_settings *settings)
{
    size_t half = count / 2;
    size_t jump;

    if (count == 1) {
        emit_leaf(program, ranges[0].class, settings);
        return;
    }
    emit(program, BPF_JMP | BPF_JGE | BPF_K, 0, 1, ranges[half].first);
    jump = program->count;
    emit(program, BPF_JMP | BPF_JA, 0, 0, 0);
    emit_tree(program, ranges, half, settings);
    if (jump < FILTER_MAX)
        program->code[jump].k = (uint32_t)(program->count - jump - 1);
    emit_tree(program, ranges + half, count - half, settings);
}

/* ---- ranges ---------------------------------------------------------------------------------- */

static int compare_rows(const void *one, const void *other)
{
    unsigned a = ((const struct row *)one)->number;
    unsigned b = ((const struct row *)other)->number;

    return a < b ? -1 : a > b;
}

static void add_range(struct range *ranges, size_t *count, unsigned first, enum filter_class class)
{
    if (*count == 0 || ranges[*count - 1].class != class)
        ranges[(*count)++] = (struct range){first, class};
}

/* At most two for each row: itself, and what is missing behind it. */
static size_t make_ranges(struct range ranges[2 * ROWS + 1])
{
    struct row rows[ROWS];
    size_t count = 0;
    unsigned next = 0;

    for (size_t i = 0; i < ROWS; i++)
        rows[i] = table[i];
    qsort(rows, ROWS, sizeof(rows[0]), compare_rows);
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].number > next)
            add_range(ranges, &count, next, FILTER_CLASS_ABSENT);
        add_range(ranges, &count, rows[i].number, rows[i].class);
        next = rows[i].number + 1;
    }
    add_range(ranges, &count, next, FILTER_CLASS_ABSENT);
    return count;
}

int filter_make(const struct filter_settings *settings, struct filter_program *ret_program)
{
    struct range ranges[2 * ROWS + 1];
    size_t count = make_ranges(ranges);

    ret_program->count = 0;
    emit_load(ret_program, offsetof(struct seccomp_data, arch));
    emit(ret_program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, OWN_ARCHITECTURE);
    emit_return(ret_program, SECCOMP_RET_KILL_PROCESS);
    emit_load(ret_program, offsetof(struct seccomp_data, nr));
    emit_tree(ret_program, ranges, count, settings);
    return ret_program->count <= FILTER_MAX ? 0 : -E2BIG;
}

#endif

int filter_load(const struct filter_program *program, bool asks, int *ret_listener)
{
    struct sock_fprog code = {(unsigned short)program->count,
                              (struct sock_filter *)program->code};
    unsigned long flags = SECCOMP_FILTER_FLAG_TSYNC;
    long result;

    if (asks)
        flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
    result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &code);
    if (result < 0)
        return -errno;
    if (!asks && result > 0) /* the id of a thread that cannot follow */
        return -ESRCH;
    if (ret_listener != NULL)
        *ret_listener = asks ? (int)result : -1;
    return 0;
}
