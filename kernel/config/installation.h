/*
 * installation - where this installation's own files lie, and which Python is its own
 *
 * Two shapes. The build tree, `cmake --install` and the Debian package: <prefix>/bin/safepyrun beside
 * <prefix>/lib/safepyrun. A wheel: <prefix>/bin/safepyrun beside the package in the site-packages of one
 * Python, and everything else inside that package. Nothing is written at installation: the program looks
 * around from its own place, so that a moved folder still works. All strings returned are new.
 */
#pragma once

#include <stdbool.h>

/* The program that runs; NULL when the system does not tell. */
char *installation_program(void);

/* A file of the library folder: "safepyrun-guard", "main.py". It need not be there. */
char *installation_file(const char *name);

/* The folder that holds the Python package `safepyrun`; the guard imports it from there. */
char *installation_package_folder(void);

/* A program on PATH, or NULL. */
char *installation_find_program(const char *name);

/*
 * The Python for whoever names none: that of the virtual environment whose bin/ holds this program; the
 * one that a wheel was installed for; else the one that safepyrun-guard embeds.
 */
char *installation_python(void);

/*
 * The Python that was asked for, as an absolute path: relative ones are below the working directory, a name
 * without a slash is looked for on PATH. NULL: installation_python(). It need not be there.
 */
char *installation_python_for(const char *asked);

/* What a Python that is no safepyrun-guard is given before main.py; ends with NULL. */
extern const char *const installation_main_options[];

/*
 * Whether safepyrun-guard serves this Python: it embeds the very libpython of it, and both are there.
 * A library of one patch version that meets another's standard library dies in its first import.
 */
bool installation_embeds(const char *python);
