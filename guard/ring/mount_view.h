/*
 * mount_view - the file system as this process sees it: read-only but for the write roots
 *
 * It holds what Landlock does not know: modes, owners, times, attributes, and that what may not be
 * read is not there. A mount namespace of its own, as root or in a user namespace. In two steps,
 * because a namespace belongs to a thread and set-up files may start some, while their trusted code
 * should still see everything: mount_view_enter() early, with one thread, changes nothing visible;
 * mount_view_close() builds the view beside the old tree and moves the whole process into it, so
 * that files which are open for writing stand in no one's way.
 * Source: mount_namespaces(7), user_namespaces(7), mount_setattr(2), open_tree(2).
 */
#pragma once

#include "guard/ring/paths.h"

/* Returns 0 or -errno: then nothing has changed and mount_view_close() must not be called. */
int mount_view_enter(void);

/*
 * mount_view_close() - move into the view
 *
 * Needs the capabilities that entering gave, in this thread. ret_covered: whether all of
 * paths->denied is hidden; a denied folder that holds a write root is not.
 *
 * Returns 0; -errno: the process is where it was; MOUNT_VIEW_E_BROKEN: it is in a view that is not
 * complete, and must not go on.
 */
enum mount_view_outcome { MOUNT_VIEW_E_BROKEN = 1 };
int mount_view_close(const struct ring_paths *paths, bool *ret_covered);
