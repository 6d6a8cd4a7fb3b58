/*
 * environment_guard - packages that set PATH while they are imported
 *
 * Some (cv2, xgboost) add their own folder to PATH or LD_LIBRARY_PATH, for libraries that are loaded already, and are
 * useless when that is refused. It is refused all the same, and on record; only the import goes on as if the variable had been set, which
 * os.environ says from then on. What the process hands to programs stays as it was. Owns nothing.
 */
#pragma once

/* Once. Returns 0, or -1 with an exception. */
int environment_guard_start(void);
