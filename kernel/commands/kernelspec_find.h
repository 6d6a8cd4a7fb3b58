/*
 * kernelspec_find - which kernelspecs of ours Jupyter would find here, and whether they lead
 * anywhere
 *
 * Looks where jupyter_core looks: JUPYTER_PATH, the user's data folder, an environment's
 * share/jupyter, the system's two folders. Changes nothing.
 */
#pragma once

/* folder: of one kernelspec. problem: why no kernel starts from it, or NULL. Both borrowed. */
typedef void (*kernelspec_found)(void *context, const char *folder, const char *problem);

/* prefix: sys.prefix of the Python that cells run in; NULL: none. Calls `found` for each of ours.
 */
void kernelspec_find(const char *prefix, kernelspec_found found, void *context);
