/*
 * verdict - decisions on facts, without an interpreter
 *
 * The audit hook reads Python arguments into `struct facts`; the functions here decide. So each
 * decision has a unit test without a Python. A denial carries its reason in words; the words are
 * static or live in the caller's `struct denial`.
 */
#pragma once

#include "guard/policy/appeal.h"
#include "guard/policy/policy.h"

/* Whose code asks. Some rows ask for the innermost frame only: then DEPUTY and IMPORT read LIBRARY. */
enum caller {
    CALLER_HOST,    /* no Python frame at all, or the guard's own work */
    CALLER_USER,    /* innermost: compiled from a cell, a file under a write root, text of user code */
    CALLER_DEPUTY,  /* library code that user code called */
    CALLER_LIBRARY, /* standard library and installed packages, with no user code on the stack */
    CALLER_IMPORT,  /* a library's module-level code while it is being imported, and what it calls */
};

enum verdict { VERDICT_ALLOW, VERDICT_DENY };

/* The OS ring holds the network, by a proxy: libraries may open sockets, which lead there. Once, for
   the guard process. */
void verdict_network_is_proxied(void);

#define FACTS_PATHS 2

/* What goes into a native call and comes out of it; a number of the facts. */
enum native_shape {
    NATIVE_ANYTHING,
    NATIVE_NUMBERS, /* nothing or one number in, nothing or a number out */
    NATIVE_TEXT,    /* nothing or one number in, a text out */
};

struct path_fact {
    struct bytes text; /* data NULL: `fd` or nothing */
    int dir_fd;        /* AT_FDCWD unless the call named a directory */
    int fd;            /* the "path" is an open descriptor; -1 otherwise */
    bool odd;          /* not str, bytes or int: nothing is known about it, and nothing was asked */
    bool odd_dir_fd;   /* the directory is no int: then the path is odd too */
    enum path_follow follow;
    const struct excuses *excuses; /* what a person has let pass in this call; NULL: nothing */
};

/* What the arguments of an event say. */
struct facts {
    const char *event;
    enum caller caller;
    struct path_fact paths[FACTS_PATHS];
    unsigned path_count;
    long number;         /* open: O_* flags; a socket's family; a command */
    bool number_known;
    bool number_odd;     /* given, but no int: an object that may turn into any number */
    bool value_is_number; /* or may turn into one: the system can take it for an address */
    int link_fd;         /* the descriptor that belongs to the guard; -1 for none */
    struct bytes name;   /* an attribute, a variable, a module: what the event is about */
    bool is_hosts_own; /* mk_audit(): the program around it asks, judged as the user */
    bool is_traceback_code; /* native code of a package compiles the one text that says nothing */
    bool is_other_monitor; /* a host program's tool of sys.monitoring, not the guard's */
    bool leaves_scope; /* a thread that would begin outside of the guard of a host program, or its debugger */
    bool deputy_is_known; /* the library asking is one that needs native calls while it runs */
};

#define DENIAL_TEXT 512

/* A "no" in words. The message reads: "safepyrun refused to <words>: <reason>; <remedy>". */
struct denial {
    const char *rule;           /* the policy key or "interpreter ring" */
    const char *remedy;         /* what would allow it, or what to do instead */
    bool may_ask;               /* a person may set it aside: see appeal.h */
    bool is_final;              /* no tool has a right to it: what would break the guard itself */
    char reason[DENIAL_TEXT];
    char subject[PATH_MAX];     /* the path or name that is meant, or "" */
};

/*
 * verdict_remedy_of_program() - a remedy where there is no policy file, but arguments
 *
 * "add its folder to ok_dests in the policy file" loses its end, and network.allow is no argument. `buffer` holds
 * the new text, and is not used where nothing is to be said anew.
 */
const char *verdict_remedy_of_program(const char *remedy, char *buffer, size_t size);

/* The sentence that every refusal is told in; `remedy` may be "". A new string. */
char *verdict_sentence(const char *words, const char *reason, const char *remedy);

typedef enum verdict verdict_function(const struct policy *policy, const struct facts *facts,
                                      struct denial *ret_denial);

verdict_function check_always;          /* nothing to judge */
verdict_function check_never;           /* nobody, whoever asks */
verdict_function check_profiler;        /* nobody, and what to do instead */
verdict_function check_monitor;         /* the same of a profiler that asks sys.monitoring, but for the guard's own work */
verdict_function check_program;         /* starting one: nobody, and what to do instead of this one */
verdict_function check_fork;            /* the same for copies of the process */
verdict_function check_shared;          /* and for what is of use to several processes only */
verdict_function check_network;         /* nobody */
verdict_function check_open;            /* reading: deny_read; writing: write roots */
verdict_function check_read;            /* deny_read */
verdict_function check_read_all;        /* the same for two paths, where there are any */
verdict_function check_open_at;         /* the same for a name with a directory descriptor, else nothing */
verdict_function check_write_roots;     /* every path below a write root, descriptors as well */
verdict_function check_truncate;        /* the same; a descriptor that can be cut was opened for writing */
verdict_function check_mkdir;           /* the same; a root itself may be "made" again */
verdict_function check_mknod;           /* the same; no device */
verdict_function check_chdir;           /* the new directory in a write root */
verdict_function check_dbm;             /* the files that a name without an ending stands for */
verdict_function check_pragma;          /* of SQLite: not where it puts its files */
verdict_function check_sqlite_function; /* none that takes the address of native code */
verdict_function check_sqlite_setting;
verdict_function check_attach;          /* ATTACH: the same, and the name has to be known */
verdict_function check_sqlite;          /* a database: file, file: URI or ":memory:" */
verdict_function check_breakpoint;      /* in the guard process; a host program's own debugger is not a cell's */
verdict_function check_own_process;     /* the number is this process's */
verdict_function check_own_by_library;  /* the same, 0 too, and not user code itself */
verdict_function check_mapping;         /* where the system puts it */
verdict_function check_memory_advice;   /* none that takes it from the whole machine */
verdict_function check_own_thread;      /* the number is that of the thread that asks */
verdict_function check_monitoring;      /* the guard's own work alone */
verdict_function check_other_monitor;   /* and a tool of the host program that is not the guard's */
verdict_function check_library;         /* not user code itself */
verdict_function check_thread;          /* the same, and not out of a host's scope */
verdict_function check_code;            /* making code from parts: not user code */
verdict_function check_text;            /* … from text or data: the program around it may */
verdict_function check_new_code;        /* code objects: neither user code nor what it calls */
verdict_function check_native;          /* ctypes: imports of libraries, and a few known ones */
verdict_function check_cffi;            /* libraries and memory by numbers: nobody */
verdict_function check_native_call;     /* a few functions of BLAS and OpenMP, by libraries that are known */
verdict_function check_native_package;  /* a native function of a package that nobody has listed */
verdict_function check_native_library;  /* the same, and not a library from a write root */
verdict_function check_import;          /* ban_imports; no native modules from write roots */
verdict_function check_attribute_read;  /* frames and code objects: not user code */
verdict_function check_attribute_write; /* code, defaults, class: not user code */
verdict_function check_readline;        /* a key binding; no directive that reads a file */
verdict_function check_environment;     /* variables that steer programs and libraries: nobody */
verdict_function check_socket;          /* a pair of local sockets for an event loop, nothing else */
verdict_function check_terminal_text;   /* numbers in it stay numbers */
verdict_function check_messages;        /* of the C library: none that a cell can write, by folder or by name */
verdict_function check_socket_option;   /* none whose value leads to memory, or that gives it a name */
verdict_function check_fcntl;           /* no signals by descriptor */
verdict_function check_ioctl;           /* a few that only ask */
verdict_function check_callback;        /* neither user code nor what it calls */
verdict_function check_callback_of_anyone; /* nobody */
verdict_function check_register;        /* allow() and its kin: nobody who is under guard */
verdict_function check_link;            /* a number is not the link */
verdict_function check_link_library;    /* neither the link nor what may become it, and not user code itself */
verdict_function check_link_pair;       /* two descriptors, where paths are: neither is the link */
verdict_function check_link_range;      /* a range of descriptors does not hold the link */
